"""A payload for people's eyes."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import msgspec

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def mask(payload: bytes) -> dict[str, Any]:
    """The payload with digests, address, click id and URL queries shortened, and all else as it is sent."""
    event: dict[str, Any] = msgspec.json.decode(payload)
    user = event.get("user_data", {})
    for name, value in user.items():
        if isinstance(value, list):
            user[name] = [_digest(entry) for entry in value]
        elif name == "client_ip_address":
            user[name] = _address(value)
        elif name in {"click_id", "partner_id"}:
            user[name] = f"{value[: min(6, len(value) // 2)]}…"
    url = event.get("event_source_url")
    if url:
        event["event_source_url"] = _without_query(url)
    return event


def _digest(value: str) -> str:
    return f"{value[:8]}…" if _DIGEST.fullmatch(value) else "…"


def _address(ip: str) -> str:
    return f"{ip.split(':', 1)[0]}:…" if ":" in ip else f"{ip.rsplit('.', 1)[0]}.…"


def _without_query(url: str) -> str:
    """URLs carry addresses and click ids in their queries."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "…"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "…" if parts.query else "", ""))

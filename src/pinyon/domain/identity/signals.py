"""What identifies a visit rather than a person, and goes out in clear: the click id and the IP address."""

from __future__ import annotations

import re
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton  # these two functions only read and write text
from typing import Final

_EPIK: Final = re.compile(r"(?:^|&)epik=([^&]*)", re.IGNORECASE).search
_MAPPED: Final = "::ffff:"


def parse_click_id(url: str) -> str | None:
    """The first ``epik`` parameter of a URL or of a query string, exactly as it stands there; ``None`` without one.

    The name is found in any case; the value is opaque, so it is not URL-decoded, trimmed or lower-cased.
    Source: Pinterest's web pixel 0.84. An empty value counts as none: our choice.
    """
    if "epik=" not in url and "epik=" not in url.lower():
        return None
    before, mark, query = url.partition("#")[0].partition("?")
    if not mark:
        if "://" in before:
            return None
        query = before
    match = _EPIK(query)
    return match[1] or None if match is not None else None


def valid_ip(raw: str) -> str | None:
    """An IPv4 or IPv6 address in its canonical text; ``None`` for anything else, also with a port, zone or brackets.

    IPv6 is written by RFC 5952: ``"2001:DB8:0:0::1"`` -> ``"2001:db8::1"``. An IPv4 address in IPv6 form, as servers
    see it that listen to both, comes out as IPv4.
    """
    text = raw.strip()
    try:
        if ":" not in text:
            inet_pton(AF_INET, text)
            return text
        canonical = inet_ntop(AF_INET6, inet_pton(AF_INET6, text))
    except (OSError, ValueError):
        return None
    if canonical.startswith(_MAPPED) and "." in canonical:
        return canonical.removeprefix(_MAPPED)
    return canonical


# Private, loopback, link-local and shared addresses. Source: RFC 1918, RFC 6598, RFC 4193, RFC 4291, RFC 3927.
_LOCAL: Final = re.compile(
    r"10\.|127\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\."
    r"|::1$|f[cd]|fe[89ab]",
    re.IGNORECASE,
).match


def is_local(ip: str | None) -> bool:
    """Whether the address is one of a network's own, which says nothing of a person."""
    return ip is not None and _LOCAL(ip) is not None

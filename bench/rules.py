"""Pinyon's rules for single values, written plainly with the standard library: one function each, no shortcuts.

They stand for what the baseline does; ``pinyon.domain`` has the rules and their sources. Tables of countries, states
and currencies are data and are shared.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import unicodedata
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pinyon.domain.places import country_code, state_code

DIGEST = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}")
NATIONAL_PHONE = re.compile(r"\s*\(|[^0-9]*[0-9]{3}[^0-9]+[0-9]{3}[^0-9]+[0-9]{4}[^0-9]*$")
CLICK_ID = re.compile(r"(?:^|[?&])epik=([^&#]+)", re.IGNORECASE)
GENDERS = {"f": "f", "female": "f", "woman": "f", "m": "m", "male": "m", "man": "m", "n": "n", "non-binary": "n"}


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def text(value: Any) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def digest(value: str, normalised: str | None) -> str | None:
    """The SHA-256 of the normalised value; a digest that the sender made is kept, of MD5 and SHA-1 nothing."""
    given = value.strip().lower()
    if DIGEST.fullmatch(given):
        return given if len(given) == 64 and given != sha256("") else None
    return sha256(normalised) if normalised else None


def composed(value: str) -> str:
    return unicodedata.normalize("NFC", value.strip().lower())


def hash_email(value: str) -> str | None:
    email = composed(re.sub(r"\s+", "", value))
    return digest(value, email if "@" in email[1:-1] and email[0] != "@" != email[-1] else None)


def hash_phone(value: str) -> str | None:
    digits = re.sub(r"[^0-9]", "", value)
    if "+" in value or digits.startswith("00"):
        digits = digits.lstrip("0")
    elif digits.startswith("0") or NATIONAL_PHONE.match(value):
        digits = ""
    return digest(value, digits if 7 <= len(digits) <= 15 else None)


def hash_name(value: str) -> str | None:
    return digest(value, composed(value))


def hash_city(value: str) -> str | None:
    return digest(value, re.sub(r"[\W_]", "", composed(value)))


def hash_state(value: str) -> str | None:
    code = value.strip().lower().removeprefix("us-")
    return digest(value, code if re.fullmatch(r"[a-z]{2}", code) else state_code(code))


def hash_country(value: str) -> str | None:
    return digest(value, country_code(value))


def hash_postcode(value: str) -> str | None:
    """Digits alone; the rules of single countries are left out."""
    return digest(value, re.sub(r"[^0-9]", "", value))


def hash_gender(value: str) -> str | None:
    return digest(value, GENDERS.get(value.strip().lower()))


def hash_birth_date(value: str) -> str | None:
    try:
        return digest(value, date.fromisoformat(value.strip()[:10]).strftime("%Y%m%d"))
    except ValueError:
        return digest(value, None)


def hash_external_id(value: str) -> str | None:
    given = value.strip().lower()
    return digest(given, None) if len(given) == 64 and DIGEST.fullmatch(given) else sha256(given)


def hash_advertising_id(value: str) -> str | None:
    try:
        device = uuid.UUID(value.strip())
    except ValueError:
        return digest(value, None)
    return sha256(str(device)) if device.int else None


def ip_address(value: str) -> str | None:
    try:
        address = ipaddress.ip_address(value.strip())
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def click_id(value: str) -> str | None:
    found = CLICK_ID.search(value)
    return found[1] if found else None


def language(value: str) -> str | None:
    found = re.fullmatch(r"([A-Za-z]{2})(?:[-_].*)?", value)
    return found[1].lower() if found else None


def amount(value: Any) -> str | None:
    """Exact decimal text of a number, or of text that is one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int):
        return str(value)
    try:
        number = Decimal(f"{value:.15g}" if isinstance(value, float) else value.strip())
    except InvalidOperation:
        return None
    return format(number, "f") if number.is_finite() else None


def quantity(value: Any) -> int | None:
    number = Decimal(amount(value) or "-1")
    return int(number) if number >= 0 and number == int(number) else None


def moment(value: Any) -> float | None:
    """Seconds since the epoch, from ISO 8601 text."""
    try:
        stated = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return (stated if stated.tzinfo else stated.replace(tzinfo=UTC)).timestamp()


def occurred_at(timestamp: float | None, sent_at: float | None, received_at: float) -> float:
    if timestamp is None:
        return received_at
    if sent_at is not None and not 0 <= received_at - sent_at <= 60:
        timestamp += received_at - sent_at
    return min(timestamp, received_at)

"""Identifiers as SHA-256: normalise, then hash; what is hashed already is kept as it is.

A value of 64 hexadecimal digits is taken for a SHA-256 digest made by the sender: it is lower-cased and never hashed
again, unless it is the digest of nothing. MD5 and SHA-1 digests (32 and 40 digits) are left out, for conversion events
take SHA-256 only. Two identifiers are read otherwise: an advertising id of 32 digits is a UUID without hyphens, and an
external id of 32 or 40 digits is an id like any other, for there is no telling.

Source: Pinterest's web pixel 0.84 (digests of an e-mail address are not hashed again), Pinterest API description 5.23.0
(SHA-256 alone is named), and the practice of Segment's and Stape's connectors for the other identifiers.
"""

from __future__ import annotations

import re
from hashlib import sha256
from itertools import product
from string import ascii_lowercase
from typing import Final

from msgspec import Struct

from pinyon.domain.identity.normalise import (
    normalise_birth_date,
    normalise_city,
    normalise_country,
    normalise_email,
    normalise_external_id,
    normalise_gender,
    normalise_maid,
    normalise_name,
    normalise_phone,
    normalise_postcode,
    normalise_state,
)


class HashedIdentity(Struct, gc=False):
    """Who an event is about, without clear text.

    The lists hold SHA-256 digests in lower-case hex, without repetition; ``None`` where nothing is known. The last four
    go out as they came in: the vendor wants them so.
    """

    emails: list[str] | None = None
    phones: list[str] | None = None
    genders: list[str] | None = None
    birth_dates: list[str] | None = None
    first_names: list[str] | None = None
    last_names: list[str] | None = None
    cities: list[str] | None = None
    states: list[str] | None = None
    postcodes: list[str] | None = None
    countries: list[str] | None = None
    advertising_ids: list[str] | None = None
    external_ids: list[str] | None = None
    click_id: str | None = None
    partner_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None


def hash_text(text: str) -> str:
    """SHA-256 of the UTF-8 bytes, as 64 lower-case hex digits, no salt; the text is taken as it is.

    Raises ``UnicodeEncodeError`` for half a surrogate pair; no normalised text has one.
    """
    return sha256(text.encode()).hexdigest()


# All that genders, states and countries can come to: looked up three times faster than hashed.
_OF_CODES: Final = {code: hash_text(code) for code in (*"fmn", *map("".join, product(ascii_lowercase, repeat=2)))}
_OF_NOTHING: Final = hash_text("")
_HEX: Final = re.compile(r"[0-9A-Fa-f]+").fullmatch


# Of these the clear form cannot be mistaken for a digest, so the usual case comes first.


def hash_email(raw: str) -> str | None:
    text = normalise_email(raw)
    return _given(raw) if text is None else sha256(text.encode()).hexdigest()


def hash_maid(raw: str) -> str | None:
    text = normalise_maid(raw)
    return _given(raw) if text is None else sha256(text.encode()).hexdigest()


def hash_birth_date(raw: str) -> str | None:
    text = normalise_birth_date(raw)
    return _given(raw) if text is None else sha256(text.encode()).hexdigest()


def hash_gender(raw: str) -> str | None:
    text = normalise_gender(raw)
    return _given(raw) if text is None else _OF_CODES[text]


def hash_state(raw: str) -> str | None:
    text = normalise_state(raw)
    return _given(raw) if text is None else _OF_CODES[text]


def hash_country(raw: str) -> str | None:
    text = normalise_country(raw)
    return _given(raw) if text is None else _OF_CODES[text]


# Of these a digest would pass for a clear value, and be hashed again or stripped to its decimal digits.


def hash_phone(raw: str, default_country_code: str | None = None) -> str | None:
    if len(raw) >= 32 and _is_digest(raw):
        return _given(raw)
    text = normalise_phone(raw, default_country_code)
    return None if text is None else sha256(text.encode()).hexdigest()


def hash_name(raw: str) -> str | None:
    if len(raw) >= 32 and _is_digest(raw):
        return _given(raw)
    text = normalise_name(raw)
    return None if text is None else sha256(text.encode()).hexdigest()


def hash_city(raw: str) -> str | None:
    if len(raw) >= 32 and _is_digest(raw):
        return _given(raw)
    text = normalise_city(raw)
    return None if text is None else sha256(text.encode()).hexdigest()


def hash_postcode(raw: str, country: str | None = None) -> str | None:
    """``country`` is what ``normalise_country`` gives."""
    if len(raw) >= 32 and _is_digest(raw):
        return _given(raw)
    text = normalise_postcode(raw, country)
    return None if text is None else sha256(text.encode()).hexdigest()


def hash_external_id(raw: str, *, case_sensitive: bool = False) -> str | None:
    if len(raw) >= 64 and _is_digest(raw):
        return _given(raw)
    text = normalise_external_id(raw, case_sensitive=case_sensitive)
    return None if text is None else sha256(text.encode()).hexdigest()


def _is_digest(raw: str) -> bool:
    """Whether this is an MD5, SHA-1 or SHA-256 digest in hex."""
    text = raw.strip()
    return len(text) in {32, 40, 64} and _HEX(text) is not None


def _given(raw: str) -> str | None:
    """The sender's own SHA-256 digest of something, in lower case."""
    text = raw.strip()
    if len(text) != 64 or _HEX(text) is None:
        return None
    text = text.lower()
    return None if text == _OF_NOTHING else text

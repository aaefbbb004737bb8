"""One rule per identifier: the text that is hashed, or ``None`` where the identifier must be left out.

Each rule takes any text (callers turn numbers into text), never raises, never gives an empty text, and gives its own
result back unchanged; ``normalise_phone`` says where that ends. Digests are no concern of this module.

Source of a rule, unless it names another: Pinterest API description 5.23.0, ConversionEventsUserDataProperties.
That text is silent on three things, decided here: outer white space goes, what is left empty is left out, and text is
brought to Unicode form NFC before it is hashed (external ids excepted), so that "é" typed in two ways is one person.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

from pinyon.domain import places

# Zero-width spaces and the byte order mark: neither seen nor meant, and not white space to ``str.strip``.
_INVISIBLE: Final = re.compile("[\u200b\u2060\ufeff]")
_NOT_DIGITS: Final = bytes(set(range(256)) - set(b"0123456789"))
_NOT_ALPHANUMERIC: Final = bytes(set(range(256)) - set(b"0123456789abcdefghijklmnopqrstuvwxyz"))


def normalise_email(raw: str) -> str | None:
    """Lower case without any white space; ``None`` where no ``@`` is, or it stands first or last.

    ``" Jane.Doe+shop@Example.COM"`` -> ``"jane.doe+shop@example.com"``: tags and dots stay, no page asks to drop them.
    Source: besides the description, Pinterest's help page on enhanced match (lower case, no spaces).
    Open: domains outside ASCII are hashed as UTF-8, not as punycode; the source does not say.
    """
    text = "".join(raw.split()).lower()
    if not text.isascii():
        text = _compose(text) or ""
    return text if "@" in text and text[0] != "@" != text[-1] else None


# A bracket where the country code would stand, or three, three and four digits: North America's national form.
_NATIONAL: Final = re.compile(r"\s*\(|[^0-9]*[0-9]{3}[^0-9]+[0-9]{3}[^0-9]+[0-9]{4}[^0-9]*$").match
# Country codes whose national numbers keep their first zero abroad: Italy, Ivory Coast (source: libphonenumber).
_ZERO_STAYS: Final = frozenset(("39", "225"))
# Country codes whose national numbers may be ten digits that start like the code: North America, Russia, Italy.
_LONG_NATIONAL: Final = frozenset(("1", "7", "39"))


def normalise_phone(raw: str, default_country_code: str | None = None) -> str | None:
    """Digits with the country code and without leading zeros: ``"+1 (555) 123-4567"`` -> ``"15551234567"``.

    ``default_country_code`` (digits alone, ``"44"``) is put before numbers in national form: those without ``+`` or
    ``00`` that do not begin with it already. Without a default, numbers seen to be national are left out: a single
    zero first, a bracket first, or the form 555-123-4567. So is what has more than 15 digits (E.164's limit), or less
    than 7 (ours).
    Idempotent without a default. With one, only for its own country's numbers: 4930901820 may be Berlin's or not.

    An extension's digits stay; cut it off before. Open: the source does not say what becomes of a trunk zero after the
    country code; ``"+44 (0)20 7946 0958"`` keeps it here, as the bare rule does.
    """
    if default_country_code is None and raw.isdigit() and raw[0] != "0" and raw.isascii():
        return raw if 7 <= len(raw) <= 15 else None
    text = raw if raw.isascii() else _with_ascii_digits(raw)
    digits = text.encode().translate(None, _NOT_DIGITS).decode()
    if "+" in text or digits.startswith("00"):
        digits = digits.lstrip("0")
    elif default_country_code is not None:
        digits = _from_national(digits, default_country_code)
    elif digits.startswith("0") or _NATIONAL(text) is not None:
        return None
    return digits if 7 <= len(digits) <= 15 else None


def _from_national(digits: str, code: str) -> str:
    if code == "1" and digits.startswith("011"):
        return digits[3:]  # North America's prefix of international calls
    if digits.startswith("0"):
        return code + (digits if code in _ZERO_STAYS else digits[1:])
    shortest = 11 if code in _LONG_NATIONAL else 10
    return digits if len(digits) >= shortest and digits.startswith(code) else code + digits


def normalise_name(raw: str) -> str | None:
    """A first or last name in lower case: ``" Mary Ann"`` -> ``"mary ann"``. Accents, hyphens and spaces stay."""
    text = raw.strip().lower()
    if text.isascii():
        return text or None
    return _compose(text)


def normalise_external_id(raw: str, *, case_sensitive: bool = False) -> str | None:
    """The advertiser's own id for a person, in lower case unless ids differ by case alone.

    Not brought to NFC: it must be equal to what the Pinterest tag sends for the same person.
    Source: Pinterest's web pixel 0.84 trims and lower-cases; the description gives no rule.
    """
    text = raw.strip()
    if not case_sensitive:
        text = text.lower()
    if text.isascii() or _is_unicode(text):
        return text or None
    return None


def normalise_city(raw: str) -> str | None:
    """Lower case without spaces and punctuation: ``"St. Louis"`` -> ``"stlouis"``. Accents stay."""
    text = raw.lower()
    if text.isascii():
        return text if text.isalnum() else text.encode().translate(None, _NOT_ALPHANUMERIC).decode() or None
    composed = _compose(text)
    if composed is None or composed.isalnum():
        return composed
    # Marks are parts of letters where no composed form exists, as in Hindi.
    kept = [c for c in composed if c.isalnum() or unicodedata.category(c)[0] == "M"]
    return unicodedata.normalize("NFC", "".join(kept)) or None


_GENDERS: Final = {
    **dict.fromkeys(("f", "female", "woman"), "f"),
    **dict.fromkeys(("m", "male", "man"), "m"),
    **dict.fromkeys(("n", "non-binary", "nonbinary", "non binary", "non_binary"), "n"),
}


def normalise_gender(raw: str) -> str | None:
    """``"f"``, ``"m"`` or ``"n"``, from the letter or the English word; all else is left out, ``"x"`` too.

    Open: the description's sample digest is of the word ``male`` although its text asks for one letter.
    """
    return _GENDERS.get(raw) or _GENDERS.get(raw.strip().lower())


_DATE: Final = re.compile(r"([0-9]{4})([-/.]?)([0-9]{1,2})\2([0-9]{1,2})(?:[T ].*)?", re.DOTALL).fullmatch


def normalise_birth_date(raw: str) -> str | None:
    """``YYYYMMDD``, from a date that starts with the year; a time after it is dropped, never converted.

    ``"1997-1-5"`` -> ``"19970105"``. Dates that start with the day or month are left out: which is which cannot be
    seen. So are years before 1900 and after 2099, which are some store's defaults or digits in another order.
    Source: the description asks for year, month and day; that they stand together is from the documentation of
    Amperity and Segment. Open: the description's sample digest is of ``01/01/1900``.
    """
    text = raw.strip()
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        match = _DATE(text)
        if match is None:
            return None
        year, mark, month, day = match.groups()
        if not mark and len(month) + len(day) != 4:
            return None  # "1997111" may be the 11th of January or the 1st of November
        text = f"{year}-{month:0>2}-{day:0>2}"
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text.replace("-", "") if text[:2] in {"19", "20"} else None


def normalise_state(raw: str) -> str | None:
    """Two letters in lower case, from the code, from ISO 3166-2 (``"US-CA"``) or from a US or Canadian name.

    Any two letters pass. What has no two-letter code, as states of Germany or Australia, is left out.
    Open: Pinterest's page on limited data processing shows the digest of upper-case ``CA``.
    """
    if len(raw) == 2 and raw.isascii() and raw.isalpha():
        return raw.lower()
    text = raw.strip().lower()
    if len(text) == 5 and text[2] == "-" and places.country_code(text[:2]) is not None:
        text = text[3:]
    if len(text) == 2 and text.isascii() and text.isalpha():
        return text
    return places.state_code(text)


def normalise_country(raw: str) -> str | None:
    """ISO 3166-1 alpha-2 in lower case, from either code or a name; ``None`` when unknown.

    Open: the description's sample digest is of upper-case ``US`` although its text asks for lower case.
    """
    return places.country_code(raw)


# Countries whose postcodes tell places apart by letters; codes that only carry a country prefix (LV-1010) do not.
_LETTERED_CODES: Final = "ad ai ar bb bm bn ca fk gb gg gi gs ie im io je ky mt nl pn sh sz tc vc vg"
_LETTERED: Final = frozenset(_LETTERED_CODES.split())


def normalise_postcode(raw: str, country: str | None = None) -> str | None:
    """Digits only; five of them in the United States; letters too where the country's postcodes have them.

    ``country`` is what ``normalise_country`` gives. ``"94107-1234"`` -> ``"94107"`` for ``us``, ``"941071234"`` for
    ``None``; ``"SW1A 1AA"`` -> ``"sw1a1aa"`` for ``gb``.
    Source: the description says digits only; five digits and each country's own form are from Segment's documentation.
    Open: whether Pinterest matches letters. Digits alone would make ``"SW1A 1AA"`` ``"11"``, which is nobody's.
    """
    text = raw if raw.isascii() else _with_ascii_digits(raw)
    if country in _LETTERED:
        code = text.lower().encode().translate(None, _NOT_ALPHANUMERIC).decode()
        return None if not code or code.isalpha() else code
    digits = text if text.isdigit() else text.encode().translate(None, _NOT_DIGITS).decode()
    if country == "us" and len(digits) != 5:
        # Zeros at the start are lost where a sheet or a JSON number held the code: 2139 is 02139.
        return digits.zfill(5 if len(digits) < 5 else 9)[:5] if len(digits) >= 3 else None
    return digits or None


_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_UUID_DIGITS: Final = re.compile(r"([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})").fullmatch
_NO_UUID: Final = "00000000-0000-0000-0000-000000000000"


def normalise_maid(raw: str) -> str | None:
    """A mobile advertising id (AAID, IDFA) as a UUID in lower case with hyphens.

    The all-zero id, which a device gives when tracking is denied, is left out.
    Source: the description gives no rule; lower case is what Segment's and Stape's connectors send.
    Open: whether Apple ids are matched in upper case, as iOS prints them. A second digest of the upper-case form would
    satisfy both readings; it is not made.
    """
    text = raw.strip().lower()
    if _UUID(text) is None:
        match = _UUID_DIGITS(text)
        if match is None:
            return None
        text = "-".join(match.groups())
    return None if text == _NO_UUID else text


def _compose(text: str) -> str | None:
    """Text outside ASCII: lower-cased, trimmed and in NFC; ``None`` when nothing is left or it is not Unicode."""
    if not _is_unicode(text):
        return None
    text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).lower()
    # Lower-casing can take a text out of NFC.
    return unicodedata.normalize("NFC", text).strip() or None


def _is_unicode(text: str) -> bool:
    """Whether the text can be hashed: JSON may carry half a surrogate pair, which has no UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _with_ascii_digits(text: str) -> str:
    """The text with the digits of all scripts, and a wide plus, turned to ASCII, and without what else is not."""
    digits = [str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text.replace("\uff0b", "+")]
    return "".join(digits).encode("ascii", "ignore").decode()

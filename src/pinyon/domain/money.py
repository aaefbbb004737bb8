"""Amounts as exact decimal text, quantities as integers, currencies by their ISO code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Context, Decimal
from typing import Any, Final

# Source: ISO 4217, list one, without funds, metals, bond units and test codes. ANG and BGN, withdrawn in 2025 and 2026,
# stay for the orders that still name them.
_CURRENCY_TABLE: Final = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR
IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR
MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD
XCG XOF XPF YER ZAR ZMW ZWG
"""
_CURRENCIES: Final = frozenset(_CURRENCY_TABLE.split())

# Products of two amounts have at most 98 digits, so with this precision no sum of an order's lines is ever rounded.
_EXACT: Final = Context(prec=200)
_WHOLE_DIGITS: Final = 18
_TOO_LARGE: Final = 10**_WHOLE_DIGITS
_LONGEST: Final = 50
_LARGEST_QUANTITY: Final = 2**63 - 1

_CANONICAL: Final = re.compile(r"(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,30})?").fullmatch

_MARK: Final = r"(?:[A-Z]{3}|[A-Z]{0,2}[$€£¥₹₩₽₺₫₴₦₱฿₪₡₲₵₸₼₾]|kr\.?|zł|Kč|Ft|Rs\.?)"
_AMOUNT: Final = re.compile(
    rf"([+-]?)\s*({_MARK})?\s*([+-]?)\s*([0-9.,' ]+(?:E[+-]?[0-9]{{1,3}})?)\s*({_MARK})?", re.IGNORECASE
).fullmatch
_PLAIN: Final = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:E[+-]?[0-9]{1,3})?", re.IGNORECASE).fullmatch
# With groups of three set apart (of two but the last, in India). One comma before three digits is either a group or a
# fraction, so it is in neither pattern; a point is then a fraction, as in every programming language.
_POINT_DECIMAL: Final = re.compile(
    r"""[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+
    | [0-9]{1,3}(?:,[0-9]{3}){2,}
    | [0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?
    | [0-9]{1,3}(?:[ ][0-9]{3})+(?:\.[0-9]+)?
    | [0-9]{1,3}(?:'[0-9]{3})+(?:\.[0-9]+)?""",
    re.VERBOSE,
).fullmatch
_COMMA_DECIMAL: Final = re.compile(
    r"""[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]+
    | [0-9]{1,3}(?:\.[0-9]{3}){2,}
    | [0-9]{1,3}(?:[ ][0-9]{3})+,[0-9]+
    | [0-9]{1,3}(?:'[0-9]{3})+,[0-9]+
    | (?:[0-9]{4,}|0),[0-9]+
    | [0-9]{1,3},(?![0-9]{3}$)[0-9]+""",
    re.VERBOSE,
).fullmatch
_SPELLINGS: Final = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "\u2212": "-"})


def decimal_text(value: Any) -> str | None:
    """An amount as exact decimal text without exponent; ``None`` for what is no amount or cannot be read for certain.

    Text keeps its decimals (``"19.90"``), loses a currency sign or code (``"$19.98"``, ``"19.98 EUR"``) and marks of
    groups (``"1.299,00"`` -> ``"1299.00"``); ``"1,299"`` is ``None``, for it is read differently in different places.
    A float is rounded to 15 significant digits, all that a double holds of any decimal, where it shows more: these are
    the noise of arithmetic (19.979999999999997 -> ``"19.98"``). Negative amounts, as of refunds, stay negative. Amounts
    have at most 18 digits before the point.
    """
    kind = type(value)
    if kind is str:
        return value if _CANONICAL(value) is not None else _of_text(value)
    if kind is float:
        return _of_float(value)
    if kind is int:
        return str(value) if -_TOO_LARGE < value < _TOO_LARGE else None
    return _plain(value) if kind is Decimal else None


def line_total(prices_and_quantities: Iterable[tuple[Any, Any]]) -> str | None:
    """The exact sum of price times quantity; a quantity of ``None`` counts as one.

    ``None`` without lines, and when any price or quantity cannot be read: part of a sum would be a wrong value. A sum
    that is not whole has two decimals or more.
    """
    total = None
    for price, quantity in prices_and_quantities:
        amount = decimal_text(price)
        times = "1" if quantity is None else decimal_text(quantity)
        if amount is None or times is None:
            return None
        line = Decimal(amount) if times == "1" else _EXACT.multiply(Decimal(amount), Decimal(times))
        total = line if total is None else _EXACT.add(total, line)
    text = None if total is None else _plain(total)
    if text is None:
        return None
    whole, _, decimals = text.partition(".")
    decimals = decimals.rstrip("0")
    return f"{whole}.{decimals:0<2}" if decimals else whole


def whole_number(value: Any) -> int | None:
    """A count: an integer from 0 to 2**63 - 1, also given as ``"2"``, ``"2.0"`` or ``2.0``; ``None`` for all else."""
    kind = type(value)
    if kind is str:
        digits, _, decimals = value.strip().partition(".")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > _WHOLE_DIGITS or decimals.strip("0"):
            return None
        return int(digits)
    if kind is int or (kind is float and value.is_integer()):
        return int(value) if 0 <= value <= _LARGEST_QUANTITY else None
    return None


def currency_code(raw: str) -> str | None:
    """The ISO 4217 code in upper case; ``None`` for what is not a currency in use."""
    if raw in _CURRENCIES:
        return raw
    code = raw.strip().upper()
    return code if code in _CURRENCIES else None


def _of_float(value: float) -> str | None:
    if not 1e-4 <= abs(value) < 1e14:  # outside, and for NaN, ``repr`` is no plain decimal text
        return _plain(Decimal(f"{value:.15g}"))
    text = repr(value)
    if text.endswith(".0"):
        return text[:-2]
    return text if len(text) <= 16 else f"{value:.15g}"


def _of_text(raw: str) -> str | None:
    if len(raw) > _LONGEST:
        return None
    match = _AMOUNT(raw.strip().translate(_SPELLINGS))
    if match is None:
        return None
    sign, before, inner_sign, number, after = match.groups()
    if (sign and inner_sign) or not (_is_currency(before) and _is_currency(after)):
        return None
    number = number.strip()
    if _POINT_DECIMAL(number) is not None:
        number = number.replace(",", "").replace(" ", "").replace("'", "")
    elif _COMMA_DECIMAL(number) is not None:
        number = number.replace(".", "").replace(" ", "").replace("'", "").replace(",", ".")
    elif _PLAIN(number) is None:
        return None
    return _plain(Decimal(sign + inner_sign + number))


def _is_currency(mark: str | None) -> bool:
    """Whether what stands beside a number leaves it an amount; three letters must be a currency's."""
    return mark is None or len(mark) != 3 or not mark.isalpha() or mark.upper() in _CURRENCIES


def _plain(number: Decimal) -> str | None:
    if not number.is_finite():
        return None
    if not number:
        return "0"
    # Checked before it is written out: 1E+999999 would be a text of a million digits.
    if not -_WHOLE_DIGITS <= number.adjusted() < _WHOLE_DIGITS:
        return None
    text = format(number, "f")
    return text if len(text) <= _LONGEST else None

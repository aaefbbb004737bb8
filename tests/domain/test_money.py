"""Amounts, quantities and currencies as they come in JSON."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinyon.domain.money import currency_code, decimal_text, line_total, whole_number

AMOUNT = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1299, "1299"),
        (-5, "-5"),
        (10**18, None),
        (True, None),
        (19.98, "19.98"),
        (127.5, "127.5"),
        (1e3, "1000"),
        (-12.5, "-12.5"),
        (-0.0, "0"),
        (1e16, "10000000000000000"),
        (0.00001, "0.00001"),
        (1e22, None),
        (float("nan"), None),
        (float("inf"), None),
        (float("-inf"), None),
        # Noise of binary arithmetic: sums and products whose decimal results are plain
        (0.1 + 0.2, "0.3"),
        (19.979999999999997, "19.98"),
        (3 * 1.1, "3.3"),
        (1.1 * 1.1, "1.21"),
        (4.35 * 100, "435"),
        (Decimal("127.50"), "127.50"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E+999999"), None),
        (Decimal("0E+999999"), "0"),
        (Decimal("NaN"), None),
        ("19.98", "19.98"),
        ("19.90", "19.90"),
        (" 19.98 ", "19.98"),
        ("007.50", "7.50"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-19.98", "-19.98"),
        ("+19.98", "19.98"),
        ("-0", "0"),
        ("1e3", "1000"),
        ("1.5E+2", "150"),
        ("1e999", None),
        ("1.299", "1.299"),
        # A sign or code of a currency
        ("$19.98", "19.98"),
        ("$ 19.98 USD", "19.98"),
        ("US$19.98", "19.98"),
        ("-$19.98", "-19.98"),
        ("$-19.98", "-19.98"),
        ("−19,98 €", "-19.98"),
        ("-$-19.98", None),
        ("19.98 EUR", "19.98"),
        ("eur 19.98", "19.98"),
        ("19.98 ABC", None),
        ("249 kr", "249"),
        ("49,90 zł", "49.90"),
        # Groups
        ("1,299.00", "1299.00"),
        ("1.299,00", "1299.00"),
        ("1,299", None),
        ("0,125", "0.125"),
        ("1299,000", "1299.000"),
        ("1,299,000", "1299000"),
        ("1.299.000", "1299000"),
        ("1\u202f299,00 €", "1299.00"),
        ("1 299.00", "1299.00"),
        ("1’299.00", "1299.00"),
        ("1,29,900.00", "129900.00"),
        ("12,99.00", None),
        ("1,2,3", None),
        ("1 2", None),
        # No amounts
        ("", None),
        ("  ", None),
        ("free", None),
        ("nan", None),
        ("Infinity", None),
        ("12%", None),
        ("1_000", None),
        ("$", None),
        ("9" * 19, None),
        (None, None),
        ([19.98], None),
        ({}, None),
    ],
)
def test_decimal_text(value, text):
    assert decimal_text(value) == text


@settings(deadline=None)
@given(cents=st.integers(-(10**11), 10**11))
def test_a_price_comes_through_a_float_exactly(cents):
    text = decimal_text(cents / 100)
    assert text is not None
    assert Fraction(text) == Fraction(cents, 100)


JSON_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(st.characters()),
    st.text("0123456789.,' -+eE$€USDkr", max_size=60),
)


@settings(deadline=None)
@given(value=JSON_VALUES)
@example(value=10**5000)
@example(value="\ud800")
def test_anything_is_a_plain_amount_or_none(value):
    text = decimal_text(value)
    if text is not None:
        assert AMOUNT.fullmatch(text)
        assert text not in {"-0", "-0.0"}
        assert decimal_text(text) == text


@pytest.mark.parametrize(
    ("lines", "total"),
    [
        ([("19.98", 1)], "19.98"),
        ([(0.1, 3)], "0.30"),
        ([("19.90", 2), (5, None)], "44.80"),
        ([("12.50", 2)], "25"),
        ([("9.99", "2"), ("0.02", 1.0)], "20"),
        ([("3.00", 0.5)], "1.50"),
        ([("0.333", 3)], "0.999"),
        ([("10.00", 1), ("-2.50", 1)], "7.50"),
        ([], None),
        ([("19.98", 1), (None, 1)], None),
        ([("19.98", "two")], None),
        ([("19.98", True)], None),
        ([(999999999999999999, 2)], None),
    ],
)
def test_line_total(lines, total):
    assert line_total(lines) == total


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10**10), st.integers(0, 1000)), min_size=1, max_size=50))
def test_line_total_is_exact(lines):
    text = line_total((f"{cents // 100}.{cents % 100:02}", quantity) for cents, quantity in lines)
    assert text is not None
    assert Fraction(text) == Fraction(sum(cents * quantity for cents, quantity in lines), 100)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        (2, 2),
        ("2", 2),
        (" 2 ", 2),
        ("2.0", 2),
        (2.0, 2),
        (2**63 - 1, 2**63 - 1),
        (2**63, None),
        (2.5, None),
        ("2.5", None),
        (-1, None),
        ("-1", None),
        (-1.0, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        ("9" * 5000, None),
        ("٣", None),
        ("", None),
        (".0", None),
        ("two", None),
        (None, None),
        ([2], None),
    ],
)
def test_whole_number(value, number):
    found = whole_number(value)
    assert found == number
    assert type(found) in {int, type(None)}


@settings(deadline=None)
@given(value=JSON_VALUES)
def test_anything_is_a_count_or_none(value):
    number = whole_number(value)
    assert number is None or (type(number) is int and 0 <= number < 2**63)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        # ISO 4217, list one
        ("EUR", "EUR"),
        ("usd", "USD"),
        (" gbp ", "GBP"),
        ("JPY", "JPY"),
        ("XOF", "XOF"),
        ("ZWG", "ZWG"),
        ("XCG", "XCG"),
        # withdrawn, or not money in a till
        ("DEM", None),
        ("HRK", None),
        ("XAU", None),
        ("XXX", None),
        ("XTS", None),
        ("EURO", None),
        ("€", None),
        ("", None),
    ],
)
def test_currency(raw, code):
    assert currency_code(raw) == code

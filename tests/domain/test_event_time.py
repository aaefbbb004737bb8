"""Times as clients state them, and the correction of their clocks."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinyon.domain.event_time import correct_time, parse_time

# 1234567890 is 2009-02-13T23:31:30Z: the moment was widely kept (POSIX time; `date -ud @1234567890`).
MOMENT = 1234567890.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2009-02-13T23:31:30Z", MOMENT),
        ("2009-02-13T23:31:30.5Z", MOMENT + 0.5),
        ("2009-02-13T23:31:30.500Z", MOMENT + 0.5),
        ("2009-02-13T23:31:30.500000000Z", MOMENT + 0.5),
        ("2009-02-13T23:31:30+00:00", MOMENT),
        ("2009-02-14T00:31:30+01:00", MOMENT),
        ("2009-02-13T15:31:30-0800", MOMENT),
        ("2009-02-13T23:31:30", MOMENT),
        ("2009-02-13 23:31:30", MOMENT),
        ("2009-02-13 23:31:30 UTC", MOMENT),
        ("2009-02-13t23:31:30z", MOMENT),
        (" 2009-02-13T23:31:30Z ", MOMENT),
        ("20090213T233130Z", MOMENT),
        ("2009-02-13", MOMENT - 84690),
        ("20090213", MOMENT - 84690),
        (1234567890, MOMENT),
        (1234567890.5, MOMENT + 0.5),
        (1234567890123, MOMENT + 0.123),
        ("1234567890", MOMENT),
        ("1234567890.5", MOMENT + 0.5),
        ("1234567890123", MOMENT + 0.123),
        ("1712010112345", 1712010112.345),  # as ISO's form without hyphens it would be a day in 1712
        # unset and broken clocks
        (0, None),
        ("0", None),
        ("1970-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        (-1234567890, None),
        (1234567890123456, None),
        # no times
        (True, None),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        ("", None),
        ("now", None),
        ("2009-02-30T00:00:00Z", None),
        ("2009-02-13T25:00:00Z", None),
        ("2009-02", None),
        ("2009", None),
        ("23:31:30", None),
        ("-1234567890", None),
        ({"$date": 1234567890}, None),
    ],
)
def test_parse_time(value, seconds):
    assert parse_time(value) == seconds


def test_time_without_zone_is_utc_wherever_the_server_stands(monkeypatch):
    monkeypatch.setenv("TZ", "EST5EDT")
    time.tzset()
    try:
        assert parse_time("2009-02-13T23:31:30") == MOMENT
    finally:
        monkeypatch.undo()
        time.tzset()


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@settings(deadline=None)
@given(milliseconds=st.integers(10**11, 10**14 - 1), zone=ZONES)
def test_iso_text_is_read_in_its_zone(milliseconds, zone):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    assert parse_time(moment.astimezone(zone).isoformat()) == milliseconds / 1000
    assert parse_time(milliseconds) == milliseconds / 1000


@settings(deadline=None)
@given(
    value=st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters()),
        st.text("0123456789-:.+TZ ", max_size=30),
    )
)
@example(value="\ud800")
@example(value="2024-\ud800")
def test_anything_is_a_time_or_none(value):
    seconds = parse_time(value)
    assert seconds is None or (type(seconds) is float and 1e8 <= seconds < 1e11)


NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "expected"),
    [
        (None, None, NOW),
        (None, NOW - 3600, NOW),
        (NOW - 10, None, NOW - 10),
        (NOW + 10, None, NOW),
        # the clocks agree: up to a minute is the network's
        (NOW - 12, NOW - 2, NOW - 12),
        (NOW - 70, NOW - 60, NOW - 70),
        # the client's clock is an hour behind, ten minutes ahead
        (NOW - 3610, NOW - 3600, NOW - 10),
        (NOW + 590, NOW + 600, NOW - 10),
        # an event dated after its sending
        (NOW + 605, NOW + 600, NOW),
        # a server sends yesterday's orders with a right clock
        (NOW - 86400, NOW - 1, NOW - 86400),
    ],
)
def test_correct_time(timestamp, sent_at, expected):
    assert correct_time(timestamp, sent_at, NOW) == expected


TIMES = st.floats(1e8, 1e11)


@settings(deadline=None)
@given(timestamp=st.none() | TIMES, sent_at=st.none() | TIMES, received_at=TIMES)
def test_never_later_than_received(timestamp, sent_at, received_at):
    assert correct_time(timestamp, sent_at, received_at) <= received_at


@settings(deadline=None)
@given(
    age=st.integers(0, 10**6),
    error=st.integers(-(10**6), 10**6).filter(lambda seconds: not -60 <= seconds <= 0),
)
def test_an_event_keeps_its_age_whatever_the_clock_says(age, error):
    assert correct_time(NOW - age + error, NOW + error, NOW) == NOW - age

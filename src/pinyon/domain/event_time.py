"""When an event happened, from what a client's clock says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

# Times outside March 1973 to 5138 are taken for unset or broken clocks: 0, 1970-01-01, 0001-01-01. Inside these bounds
# seconds and milliseconds cannot be taken for one another, nor for a date written as eight digits.
_EARLIEST: Final = 1e8
_LATEST: Final = 1e11

# Between sending and receiving lies the way through the network, never less than nothing; up to this many seconds of
# difference, a client's clock is taken to be right.
_NETWORK_DELAY: Final = 60.0

_NUMBER: Final = re.compile(r"[0-9]{9,14}(?:\.[0-9]*)?").fullmatch
_NAMED_UTC: Final = re.compile(r"\s*(?:UTC|GMT|Z)$")


def parse_time(value: Any) -> float | None:
    """Seconds since the epoch, from ISO 8601 text or from a number of seconds or milliseconds, also as text.

    Text without a zone is UTC; fractions of any length are read to the microsecond. ``None`` for what is no time, and
    for times before March 1973 or after 5138, which are those of an unset or broken clock.
    """
    if type(value) is str:
        return _of_text(value)
    if type(value) is float or type(value) is int:
        return _of_number(value)
    return None


def correct_time(timestamp: float | None, sent_at: float | None, received_at: float) -> float:
    """When an event happened by our clock, in seconds since the epoch; never later than ``received_at``.

    Where the client's clock is off, the event keeps its distance from the moment of sending: timestamp - sent_at +
    received_at, the Segment specification's rule. Where it agrees with ours to within a minute of network delay, its
    own time stands, so that the same event sent twice has the same time. Without a timestamp, the time of receipt.
    """
    if timestamp is None:
        return received_at
    if sent_at is not None:
        skew = received_at - sent_at
        if not 0 <= skew <= _NETWORK_DELAY:
            timestamp += skew
    return min(timestamp, received_at)


def _of_text(text: str) -> float | None:
    if text[4:5] != "-":  # a number, or ISO's form without hyphens: "1712010112345" would pass for a time in 1712
        text = text.strip()
        if _NUMBER(text) is not None:
            return _of_number(float(text))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(_NAMED_UTC.sub("+00:00", text.strip().upper()))
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = moment.timestamp()
    return seconds if _EARLIEST <= seconds < _LATEST else None


def _of_number(value: float) -> float | None:
    if not _EARLIEST <= value < _LATEST * 1000:
        return None
    return value / 1000 if value >= _LATEST else float(value)

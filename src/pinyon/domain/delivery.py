"""Delivery as values: what an attempt came to, when to try again, and the states of an event."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

#: The states of an event at a destination; every accepted event ends in exactly one.
State = Literal["delivered", "duplicate", "withheld", "dead", "waiting"]


class Accepted(Struct, frozen=True):
    """The vendor took the event; ``warning`` is what it said besides."""

    warning: str = ""


class Rejected(Struct, frozen=True):
    """The vendor refused this event for its own sake: sending it again would change nothing."""

    reason: str
    words: str = ""  # the vendor's own


class Deferred(Struct, frozen=True):
    """It is not known whether the event was taken: send it again, with the same id."""

    reason: str


Outcome = Accepted | Rejected | Deferred


class Answered(Struct, frozen=True):
    """The vendor judged each event: same order and length as the batch."""

    outcomes: list[Outcome]


class Refused(Struct, frozen=True):
    """The vendor refused the request as a whole, so that one bad event may have sunk it."""

    reason: str
    words: str = ""


class Unreachable(Struct, frozen=True):
    """The vendor cannot take requests now. The trouble is the lane's, not the events'."""

    reason: str
    words: str = ""
    retry_after: float | None = None  # seconds, when the vendor named a time


class Forbidden(Struct, frozen=True):
    """The vendor does not accept our credentials: the lane stands still until a person has mended them."""

    reason: str
    words: str
    advice: str


Verdict = Answered | Refused | Unreachable | Forbidden


class Attempt(Struct, frozen=True):
    """One try to send one batch."""

    at: float  # seconds since the epoch
    status: int  # HTTP status; 0 when there was no answer
    seconds: float
    result: str  # "answered", or the reason of the verdict
    reference: str = ""  # the vendor's request id


class RetryPolicy(Struct, frozen=True):
    """Exponential back-off with full jitter.

    Full jitter spreads the retries of many lanes evenly, so that a vendor that comes back is not met by all at once.
    """

    base: float = 1.0  # seconds
    cap: float = 300.0  # seconds

    def delay(self, failures: int, chance: float, retry_after: float | None = None) -> float:
        """Seconds to wait after ``failures`` failures in a row (1 or more).

        ``chance`` is uniform in [0, 1). A time that the vendor named is honoured as the least, with jitter added.
        """
        spread = min(self.cap, self.base * 2.0 ** min(failures - 1, 32)) * chance
        if retry_after is None:
            return max(spread, self.base / 10)
        return retry_after + min(spread, max(retry_after, self.base))


class TokenBucket:
    """At most ``per_minute`` requests a minute, with a burst of a tenth of that. Pure: the caller gives the time."""

    BURST_SECONDS: Final = 6.0

    def __init__(self, per_minute: float) -> None:
        self._rate = per_minute / 60.0
        self._tokens = self._rate * self.BURST_SECONDS
        self._updated: float | None = None

    def take(self, now: float) -> float:
        """Take one token; seconds to wait before using it (0 when it was there)."""
        if self._rate <= 0:
            return 0.0
        if self._updated is not None:
            passed = max(0.0, now - self._updated)  # a clock that is set back must not become a debt
            grown = self._tokens + passed * self._rate
            self._tokens = min(self._rate * self.BURST_SECONDS, grown)
        self._updated = now
        self._tokens -= 1.0
        return 0.0 if self._tokens >= 0 else -self._tokens / self._rate

"""A clock that only moves when somebody sleeps."""

from __future__ import annotations

import asyncio

from pinyon.ports.clock import Clock


class FakeClock(Clock):
    """Whoever sleeps wakes at once, and the time is what it would have been: sleeps of several tasks overlap."""

    def __init__(self, now: float) -> None:
        """``now`` in seconds since the epoch."""
        self._now = now
        #: The length of each sleep, in seconds.
        self.sleeps: list[float] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        until = self._now + seconds
        await asyncio.sleep(0)
        self._now = max(self._now, until)

    def advance(self, seconds: float) -> None:
        """Let time pass; a negative number sets the clock back."""
        self._now += seconds

"""The way out of one lane: its rate, its back-off and its pauses.

What stops a whole request is the lane's trouble. The gate closes for all batches of the lane at once, so that the ones
under way do not each run into the same wall.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

import structlog
from msgspec import Struct

from pinyon.domain.delivery import (
    Answered,
    Attempt,
    Deferred,
    Forbidden,
    Refused,
    RetryPolicy,
    TokenBucket,
    Unreachable,
)
from pinyon.domain.lane import Lane
from pinyon.flows.route import Routed
from pinyon.ports.clock import Clock
from pinyon.ports.destination import Connection
from pinyon.ports.event_log import EventLog
from pinyon.ports.lanes import Lanes
from pinyon.ports.sender import Sender
from pinyon.ports.telemetry import Telemetry

logger = structlog.get_logger("pinyon.deliver")

#: Attempts kept for one batch: the newest.
ATTEMPTS_KEPT: Final = 20


class Pace(Struct, frozen=True):
    """How a lane goes about its work. Times in seconds."""

    flush_interval: float = 0.5
    batches_in_flight: int = 4
    drain_timeout: float = 10.0
    follow_interval: float = 1.0  # between two looks at the registry: a change is in force within this time
    retry: RetryPolicy = RetryPolicy()


class Tools(Struct, frozen=True):
    """What delivery needs of the world."""

    log: EventLog
    lanes: Lanes
    sender: Sender
    clock: Clock
    telemetry: Telemetry


class Gate:
    """Lets batches out, one attempt after the other, until the vendor has judged them."""

    def __init__(self, lane: Lane, bucket: TokenBucket, tools: Tools, pace: Pace) -> None:
        self._lane = lane
        self._bucket = bucket
        self._tools = tools
        self._retry = pace.retry
        self._failures = 0
        self._closed_until = 0.0
        self._paused = lane.paused

    async def attempt(
        self, connection: Connection, batch: Sequence[Routed], attempts: list[Attempt]
    ) -> Answered | Refused:
        """Send the batch, as often as it takes to get an answer about its events. Adds to ``attempts``."""
        request = connection.prepare([routed.ready.payload for routed in batch])
        clock = self._tools.clock
        while True:
            await self._wait()
            started = clock.now()
            reply = await self._tools.sender.send(request)
            verdict = connection.read(request, reply)
            result = "answered" if isinstance(verdict, Answered) else verdict.reason
            attempt = Attempt(
                at=started,
                status=reply.status,
                seconds=max(0.0, clock.now() - started),
                result=result,
                reference=connection.reference(reply),
            )
            attempts.append(attempt)
            del attempts[:-ATTEMPTS_KEPT]
            self._tell(attempt, len(batch))
            if isinstance(verdict, Answered | Refused):
                await self._open(verdict)
                return verdict
            await self._shut(verdict)

    @property
    def closed(self) -> bool:
        """Whether nothing can leave now."""
        return self._closed_until > self._tools.clock.now()

    def _close(self, reason: str, retry_after: float | None = None) -> None:
        """Stand still for a back-off.

        Batches that fail while it is closed already do not make it longer, but for a time that the vendor names.
        """
        now = self._tools.clock.now()
        if now < self._closed_until:
            self._closed_until = max(self._closed_until, now + (retry_after or 0.0))
            return
        self._failures += 1
        chance = random.random()  # noqa: S311  # spreads retries; nothing secret hangs on it
        delay = self._retry.delay(self._failures, chance, retry_after)
        self._closed_until = now + delay
        logger.warning(
            "lane.backing_off", lane_id=self._lane.id, reason=reason, failures=self._failures, seconds=round(delay, 2)
        )

    async def _wait(self) -> None:
        clock = self._tools.clock
        while (pause := self._closed_until - clock.now()) > 0:
            await clock.sleep(pause)
        pause = self._bucket.take(clock.now())
        if pause > 0:
            await clock.sleep(pause)

    async def _open(self, verdict: Answered | Refused) -> None:
        if isinstance(verdict, Answered) and any(isinstance(outcome, Deferred) for outcome in verdict.outcomes):
            self._close("answer_unreadable")
        else:
            self._failures = 0
        if self._paused:
            self._paused = ""
            await self._tools.lanes.resume(self._lane.id)
            logger.info("lane.resumed", lane_id=self._lane.id, destination_id=self._lane.destination_id)

    async def _shut(self, verdict: Unreachable | Forbidden) -> None:
        if isinstance(verdict, Unreachable):
            self._close(verdict.reason, verdict.retry_after)
            return
        now = self._tools.clock.now()
        if now < self._closed_until:
            return
        self._closed_until = now + self._retry.cap  # probe at this pace: a person mends it, and may forget to tell us
        reason = f"{verdict.reason}: {verdict.words}"
        if reason != self._paused:
            self._paused = reason
            await self._tools.lanes.pause(self._lane.id, reason=reason, now=now)
        logger.error(
            "lane.paused",
            lane_id=self._lane.id,
            destination_id=self._lane.destination_id,
            reason=reason,
            advice=verdict.advice,
        )

    def _tell(self, attempt: Attempt, events: int) -> None:
        self._tools.telemetry.attempted(
            destination_id=self._lane.destination_id,
            status=attempt.status,
            result=attempt.result,
            events=events,
            seconds=attempt.seconds,
        )
        logger.info(
            "delivery.attempted",
            destination_id=self._lane.destination_id,
            lane_id=self._lane.id,
            events=events,
            status=attempt.status,
            result=attempt.result,
            seconds=round(attempt.seconds, 4),
            reference=attempt.reference,
        )

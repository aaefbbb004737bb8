"""Delivery: a worker for each lane reads the log, routes, sends, and records what became of each event.

    feed    reads whole chunks, routes them and starts to send, up to a few units ahead
    send    cuts a unit into batches and tries each until the vendor has judged every event
    record  in the order of the log: outcome records, Exception rows and the position, in one transaction

A crash repeats at most the units under way, with the same event ids. What stops a whole request stops the lane, and
the log is its queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import structlog
from msgspec import Struct

from pinyon.domain.chunk import ChunkHeader
from pinyon.domain.delivery import Accepted, Answered, Attempt, Deferred, Rejected, TokenBucket
from pinyon.domain.lane import ExceptionRow, Lane, OutcomeRecord, reference
from pinyon.flows.dedup import Deduplicator
from pinyon.flows.gate import Gate, Pace, Tools
from pinyon.flows.route import Routed, Router, Unit

#: Seconds between two looks at the log while there is nothing to do.
IDLE: Final = 0.1
#: Headers that are read at first: chunks are mostly large, and then few of them fill a batch.
FEW: Final = 64

logger = structlog.get_logger("pinyon.deliver")


class Result(Struct):
    """What became of a unit."""

    unit: Unit
    outcomes: list[OutcomeRecord]
    exceptions: list[ExceptionRow]


class Worker:
    """Runs one lane until it is told to stop."""

    def __init__(
        self, lane: Lane, router: Router, deduplicator: Deduplicator, bucket: TokenBucket, tools: Tools, pace: Pace
    ) -> None:
        self.lane = lane
        self._router = router
        self._deduplicator = deduplicator
        self._tools = tools
        self._pace = pace
        self._gate = Gate(lane, bucket, tools, pace)
        self._position = lane.position
        self._slots = asyncio.Semaphore(pace.batches_in_flight)
        self._sending: set[asyncio.Task[Result]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when ``stop`` is set and what is under way is recorded, or the drain time is over.

        Raises what the log or the lanes raise; nothing is then recorded that did not happen.
        """
        units: asyncio.Queue[asyncio.Task[Result]] = asyncio.Queue()
        feeder = asyncio.create_task(self._feed(units))
        recorder = asyncio.create_task(self._record(units))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({feeder, recorder, stopping}, return_when=asyncio.FIRST_COMPLETED)
            feeder.cancel()
            if not recorder.done():
                await self._drain(units, recorder)
        finally:
            for task in (feeder, recorder, stopping, *self._sending):
                task.cancel()
            ended = await asyncio.gather(feeder, recorder, return_exceptions=True)
            await asyncio.gather(stopping, *self._sending, return_exceptions=True)
            self._deduplicator.leave(self.lane.id)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    async def _drain(self, units: asyncio.Queue[asyncio.Task[Result]], recorder: asyncio.Task[None]) -> None:
        if self._gate.closed:
            return  # nothing can leave now; what waits is in the log
        drained = asyncio.create_task(units.join())
        await asyncio.wait({drained, recorder}, timeout=self._pace.drain_timeout, return_when=asyncio.FIRST_COMPLETED)
        if not drained.done():
            drained.cancel()
            logger.warning("lane.not_drained", lane_id=self.lane.id, advice="batches under way will be sent again")

    async def _feed(self, units: asyncio.Queue[asyncio.Task[Result]]) -> None:
        while True:
            await self._slots.acquire()
            while (unit := await self._next_unit()) is None:
                pass
            task = asyncio.create_task(self._send(unit))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            units.put_nowait(task)

    async def _record(self, units: asyncio.Queue[asyncio.Task[Result]]) -> None:
        """Record finished units in the order of the log."""
        while True:
            result = await (await units.get())
            await self._tools.lanes.record(
                self.lane.id,
                position=result.unit.through,
                outcomes=result.outcomes,
                exceptions=result.exceptions,
                passed_over=result.unit.passed_over,
            )
            units.task_done()
            self._slots.release()

    async def _next_unit(self) -> Unit | None:
        """Whole chunks of up to a batch of events, as soon as they fill one or the oldest has waited its time."""
        log = self._tools.log
        headers = await self._unread()
        if not headers:
            await log.wait(after=await log.head(), timeout=IDLE)
            return None
        through, full = gather(headers, self._router.connection.batch_events)
        patience = headers[0].first_received_at + self._pace.flush_interval - self._tools.clock.now()
        if not full and 0 < patience <= self._pace.flush_interval:
            await log.wait(after=headers[-1].seq, timeout=min(patience, IDLE))
            return None
        chunks = await log.read(self.lane.workspace_id, after=self._position, through=through)
        duplicates = await self._deduplicator.mark(chunks, self.lane.id)
        unit = self._router.route(chunks, duplicates, self._tools.clock.now())
        self._position = through
        return unit

    async def _unread(self) -> list[ChunkHeader]:
        """Headers of at least a batch of events, when there are so many."""
        workspace_id, batch_events = self.lane.workspace_id, self._router.connection.batch_events
        headers = await self._tools.log.headers(workspace_id, after=self._position, limit=FEW)
        if len(headers) == FEW and sum(header.events for header in headers) < batch_events:
            return await self._tools.log.headers(workspace_id, after=self._position, limit=batch_events)
        return headers

    async def _send(self, unit: Unit) -> Result:
        result = Result(unit, [], unit.exceptions)
        for batch in cut(unit.routed, self._router.connection.batch_events, self._router.connection.batch_bytes):
            await self._deliver(batch, [], result)
        return result

    async def _deliver(self, batch: Sequence[Routed], before: list[Attempt], result: Result) -> None:
        """Try a batch until every event of it is judged. A refused one is halved, down to the event that sank it."""
        attempts = list(before)
        waiting = batch
        while waiting:
            verdict = await self._gate.attempt(self._router.connection, waiting, attempts)
            if isinstance(verdict, Answered):
                waiting = self._settle(waiting, verdict, attempts, result)
            elif len(waiting) == 1:
                rejected = Rejected(verdict.reason, verdict.words)
                result.exceptions.append(self._dead(waiting[0], rejected, attempts))
                return
            else:
                middle = len(waiting) // 2
                await self._deliver(waiting[:middle], attempts, result)
                await self._deliver(waiting[middle:], attempts, result)
                return

    def _settle(
        self, batch: Sequence[Routed], answered: Answered, attempts: list[Attempt], result: Result
    ) -> Sequence[Routed]:
        """Record what is final; the events to send again."""
        accepted: list[Routed] = []
        again: list[Routed] = []
        for routed, outcome in zip(batch, answered.outcomes, strict=True):
            match outcome:
                case Accepted():
                    accepted.append(routed)
                case Rejected():
                    result.exceptions.append(self._dead(routed, outcome, attempts))
                case Deferred():
                    again.append(routed)
        if accepted:
            result.outcomes.append(outcome_record(accepted, attempts, self._tools.clock.now()))
        return again

    def _dead(self, routed: Routed, rejected: Rejected, attempts: list[Attempt]) -> ExceptionRow:
        return ExceptionRow(
            place=routed.place,
            source_id=routed.source_id,
            message_id=routed.message_id,
            state="dead",
            cause=rejected.reason,
            detail=rejected.words,
            event_name=routed.ready.name,
            event_id=routed.ready.event_id,
            order_id=routed.ready.order_id,
            received_at=routed.received_at,
            recorded_at=self._tools.clock.now(),
            attempts=list(attempts),
        )


def gather(headers: Sequence[ChunkHeader], batch_events: int) -> tuple[int, bool]:
    """The last chunk of a unit of at most ``batch_events`` events (a larger one goes alone), and whether it is full."""
    events = headers[0].events
    for former, header in pairwise(headers):
        if events + header.events > batch_events:
            return former.seq, True
        events += header.events
    return headers[-1].seq, events >= batch_events


def cut(routed: list[Routed], events: int, size: int) -> list[list[Routed]]:
    """Batches of at most ``events`` events and ``size`` bytes, in order; a single larger event goes alone."""
    batches: list[list[Routed]] = []
    batch: list[Routed] = []
    held = 0
    for entry in routed:
        length = len(entry.ready.payload) + 1
        if batch and (len(batch) == events or held + length > size):
            batches.append(batch)
            batch, held = [], 0
        batch.append(entry)
        held += length
    if batch:
        batches.append(batch)
    return batches


def outcome_record(accepted: Sequence[Routed], attempts: Sequence[Attempt], now: float) -> OutcomeRecord:
    """The compact record of the accepted events of one batch, which are in the order of the log."""
    by_name: dict[str, int] = {}
    references: list[bytes] = []
    for routed in accepted:
        ready = routed.ready
        by_name[ready.name] = by_name.get(ready.name, 0) + 1
        references.append(routed.key)
        references.append(reference(ready.order_id))
    return OutcomeRecord(
        first=accepted[0].place,
        last=accepted[-1].place,
        accepted=len(accepted),
        by_name=by_name,
        references=b"".join(references),
        attempts=list(attempts),
        recorded_at=now,
    )

"""One lane and all it needs, in memory: a shop, a destination, a Pinterest with a script and a clock of our own."""

import asyncio
import json
from contextlib import asynccontextmanager

from pinyon.adapters.memory import MemoryEventLog, MemoryLanes
from pinyon.destinations.pinterest_conversions import PinterestConversionsType
from pinyon.domain.chunk import ReceivedEvent, Submission
from pinyon.domain.delivery import RetryPolicy, TokenBucket
from pinyon.domain.registry import Destination, Registry, Source, Workspace
from pinyon.flows.account import Account
from pinyon.flows.dedup import Deduplicator
from pinyon.flows.deliver import Worker
from pinyon.flows.dispatch import Kinds, open_lane
from pinyon.flows.gate import Pace, Tools
from pinyon.ports.telemetry import Silent
from pinyon.testing.clock import FakeClock
from pinyon.testing.sender import ScriptedSender

NOW = 1_790_000_000.0
KIND = PinterestConversionsType()
KINDS = Kinds({KIND.name: KIND}, {KIND.name: "https://pinterest.invalid/v5"})
ACME = Workspace("ws_acme", "acme")
SHOP = Source("src_shop", ACME.id, "shop", "web", ("wk_shop",), "granted")
BLOG = Source("src_blog", ACME.id, "blog", "web", ("wk_blog",), "granted")
PIN = Destination(
    "dst_pin", ACME.id, "pin", KIND.name, (SHOP.id,), {"ad_account_id": "549755885175"}, {"conversion_token": "pina_1"}
)
PACE = Pace(flush_interval=0.0, retry=RetryPolicy(base=1.0, cap=300.0))
BROWSER = {"ip": "203.0.113.9", "userAgent": "Mozilla/5.0"}


def order(event_id, name="Order Completed", context=BROWSER, **properties):
    body = {"type": "track", "event": name, "userId": "u-1", "context": context, "properties": properties}
    return ReceivedEvent("track", event_id, json.dumps(body).encode())


def orders(count, start=0, **properties):
    return [order(f"e-{number}", **properties) for number in range(start, start + count)]


def submission(events, source=SHOP, at=NOW):
    return Submission(source.id, at, None, "segment", None, None, list(events))


class WatchedLanes(MemoryLanes):
    """Tells when something has changed, and keeps what was recorded in one go."""

    def __init__(self):
        super().__init__()
        self.changed = asyncio.Condition()
        self.recorded = []

    async def _tell(self):
        async with self.changed:
            self.changed.notify_all()

    async def record(self, lane_id, *, position, outcomes, exceptions, passed_over=0):
        await super().record(
            lane_id, position=position, outcomes=outcomes, exceptions=exceptions, passed_over=passed_over
        )
        self.recorded.append((position, list(outcomes), list(exceptions)))
        await self._tell()

    async def pause(self, lane_id, *, reason, now):
        await super().pause(lane_id, reason=reason, now=now)
        await self._tell()

    async def resume(self, lane_id):
        await super().resume(lane_id)
        await self._tell()


class Stage:
    """A log, lanes, a sender and a clock; workers come and go."""

    def __init__(self, *script, otherwise=None, pace=PACE, destination=PIN, sources=(SHOP,), dedup_window=172_800.0):
        self.log = MemoryEventLog()
        self.lanes = WatchedLanes()
        self.clock = FakeClock(NOW)
        self.sender = ScriptedSender(*script, otherwise=otherwise)
        self.tools = Tools(self.log, self.lanes, self.sender, self.clock, Silent())
        self.pace = pace
        self.destination = destination
        self.sources = sources
        self.registry = Registry(1, (ACME,), sources, (destination,))
        self.deduplicator = Deduplicator(self.log, ACME.id, dedup_window)

    async def collect(self, *events, source=SHOP):
        await self.log.append(ACME.id, submission(events, source, self.clock.now()))

    async def lane(self):
        return await open_lane(self.log, self.lanes, self.destination, self.clock.now())

    @asynccontextmanager
    async def worker(self):
        """A running worker, which is told to stop at the end."""
        lane, stop = await self.lane(), asyncio.Event()
        router = KINDS.router(self.destination, self.sources)
        worker = Worker(lane, router, self.deduplicator, TokenBucket(0), self.tools, self.pace)
        running = asyncio.create_task(worker.run(stop))
        try:
            yield running
        finally:
            stop.set()
            await running

    async def until(self, condition, running=None):
        """Wait until ``condition(lane)`` holds; ends early when the worker does."""

        async def wait():
            async with self.lanes.changed:
                while not condition(await self.lane()):
                    await self.lanes.changed.wait()

        waiting = asyncio.create_task(wait())
        await asyncio.wait(
            {waiting, running} if running is not None else {waiting}, return_when=asyncio.FIRST_COMPLETED
        )
        if not waiting.done():
            waiting.cancel()
            raise AssertionError("the worker has ended")
        await waiting

    async def deliver(self):
        """Run a worker until it has accounted for all that is in the log."""
        head = await self.log.head()
        async with self.worker() as running:
            await self.until(lambda lane: lane.position == head, running)

    async def books(self):
        """The destination's books, which must balance."""
        [books] = await Account(self.log, self.lanes).books(self.registry)
        assert books.balanced
        [found] = books.destinations
        return found

    async def rows(self):
        """The Exception rows in the order of the log."""
        rows = await self.lanes.exceptions((await self.lane()).id, limit=10_000)
        return sorted(rows, key=lambda row: row.place)

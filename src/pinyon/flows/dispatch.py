"""Keeps one worker for each enabled destination, and follows the registry as it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import structlog
from msgspec import Struct

from pinyon.domain.delivery import TokenBucket
from pinyon.domain.errors import ConfigurationInvalid
from pinyon.domain.lane import Lane
from pinyon.domain.registry import Destination, Registry, Source
from pinyon.flows.dedup import Deduplicator
from pinyon.flows.deliver import Worker
from pinyon.flows.gate import Pace, Tools
from pinyon.flows.route import Router
from pinyon.ports.destination import DestinationType
from pinyon.ports.event_log import EventLog
from pinyon.ports.lanes import Lanes
from pinyon.ports.registry import RegistryStore

logger = structlog.get_logger("pinyon.deliver")


class Kinds(Struct, frozen=True):
    """The destination types there are, and where each vendor's API is."""

    types: Mapping[str, DestinationType]
    base_urls: Mapping[str, str]  # type name -> base URL

    def router(self, destination: Destination, sources: tuple[Source, ...]) -> Router:
        """Raises ``ConfigurationInvalid`` for a type or preset that does not exist."""
        kind = self.types.get(destination.type)
        if kind is None:
            raise ConfigurationInvalid(
                f'Destination "{destination.name}" has the unknown type "{destination.type}".',
                advice=f"Known types: {', '.join(sorted(self.types))}.",
            )
        if destination.preset not in {preset.name for preset in kind.presets}:
            raise ConfigurationInvalid(
                f'Destination "{destination.name}" has the unknown preset "{destination.preset}".',
                advice=f"Known presets: {', '.join(preset.name for preset in kind.presets)}.",
            )
        connection = kind.connect(destination.settings, destination.secrets, self.base_urls[destination.type])
        return Router(destination, kind, connection, sources)


class _Running(Struct):
    configured: tuple[Destination, tuple[Source, ...]]
    stop: asyncio.Event
    task: asyncio.Task[None]


class Dispatcher:
    def __init__(self, registry: RegistryStore, kinds: Kinds, tools: Tools, pace: Pace, dedup_window: float) -> None:
        self._registry = registry
        self._kinds = kinds
        self._tools = tools
        self._pace = pace
        self._dedup_window = dedup_window
        self._running: dict[str, _Running] = {}
        self._deduplicators: dict[str, Deduplicator] = {}
        self._buckets: dict[str, TokenBucket] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when ``stop`` is set and all workers have ended."""
        revision = -1
        try:
            while not stop.is_set():
                registry = await self._registry.load()
                if registry.revision != revision:
                    await self._follow(registry)
                    revision = registry.revision
                await self._restart_failed(registry)
                await _wait(stop, self._pace.follow_interval)
        finally:
            await self._end(list(self._running))

    async def _follow(self, registry: Registry) -> None:
        wanted = {
            destination.id: (destination, tuple(s for s in registry.sources if s.id in destination.source_ids))
            for destination in registry.destinations
            if destination.enabled
        }
        await self._end([id_ for id_, running in self._running.items() if wanted.get(id_) != running.configured])
        for id_, (destination, sources) in wanted.items():
            if id_ not in self._running:
                try:
                    await self._start(destination, sources)
                except ConfigurationInvalid as error:
                    # Its events wait in the log; the other destinations go on.
                    logger.error("lane.not_started", destination_id=id_, detail=str(error))

    async def _start(self, destination: Destination, sources: tuple[Source, ...]) -> None:
        tools = self._tools
        router = self._kinds.router(destination, sources)
        lane = await open_lane(tools.log, tools.lanes, destination, tools.clock.now())
        deduplicator = self._deduplicators.setdefault(
            destination.workspace_id, Deduplicator(tools.log, destination.workspace_id, self._dedup_window)
        )
        connection = router.connection
        bucket = self._buckets.setdefault(connection.rate_key, TokenBucket(connection.rate_per_minute))
        worker = Worker(lane, router, deduplicator, bucket, tools, self._pace)
        stop = asyncio.Event()
        self._running[destination.id] = _Running(
            (destination, sources), stop, asyncio.create_task(worker.run(stop), name=f"lane {lane.id}")
        )
        logger.info("lane.started", lane_id=lane.id, destination_id=destination.id, position=lane.position)

    async def _restart_failed(self, registry: Registry) -> None:
        """A worker that ended by an error is started again from its recorded position."""
        for id_, running in list(self._running.items()):
            if not running.task.done():
                continue
            error = running.task.exception() if not running.task.cancelled() else None
            logger.error("lane.failed", destination_id=id_, error=type(error).__name__, detail=str(error)[:300])
            del self._running[id_]
            if any(destination.id == id_ for destination in registry.destinations):
                await self._start(*running.configured)

    async def _end(self, ids: list[str]) -> None:
        ending = [self._running.pop(id_) for id_ in ids]
        for running in ending:
            running.stop.set()
        results = await asyncio.gather(*(running.task for running in ending), return_exceptions=True)
        for error in results:
            if isinstance(error, Exception):
                logger.error("lane.failed", error=type(error).__name__, detail=str(error)[:300])


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


async def open_lane(log: EventLog, lanes: Lanes, destination: Destination, now: float) -> Lane:
    """The destination's lane. A new one starts at the head of the log: what came before is for a replay."""
    start = await log.head()
    totals = await log.totals(destination.workspace_id, through=start)
    return await lanes.open(
        destination.workspace_id,
        destination.id,
        start=start,
        baseline={source_id: total.received for source_id, total in totals.items()},
        now=now,
    )

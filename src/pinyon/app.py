"""Pinyon: the flows held together, as the faces see them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from pinyon.domain.books import Books
from pinyon.domain.errors import PinyonError
from pinyon.domain.lane import Lag
from pinyon.domain.registry import Registry, Source
from pinyon.domain.trace import Trace
from pinyon.flows.account import Account
from pinyon.flows.collect import Collect
from pinyon.flows.dispatch import Dispatcher, Kinds
from pinyon.flows.explain import Explain
from pinyon.flows.retain import Retain
from pinyon.flows.watch import Watch
from pinyon.ports.clock import Clock
from pinyon.ports.event_log import EventLog, LogFacts
from pinyon.ports.lanes import Lanes
from pinyon.ports.registry import RegistryStore
from pinyon.ports.telemetry import Telemetry

logger = structlog.get_logger("pinyon")

#: Seconds between two looks at the registry, and between two rounds of retention.
FOLLOW_EVERY = 1.0
RETAIN_EVERY = 60.0


class Metrics(Protocol):
    """Renders ``/metrics``; a profile brings it."""

    def render(self, books: list[Books], lags: list[Lag], facts: LogFacts) -> bytes: ...


class ConfiguredSources:
    """The sources by write key, as of the last look at the registry."""

    def __init__(self) -> None:
        self._by_key: dict[str, Source] = {}

    def by_write_key(self, key: str) -> Source | None:
        return self._by_key.get(key)

    def follow(self, registry: Registry) -> None:
        self._by_key = {key: source for source in registry.sources for key in source.write_keys}


@dataclass
class Pinyon:
    """One process of a server. ``collect`` and ``dispatcher`` are there when it has that role."""

    clock: Clock
    registry: RegistryStore
    log: EventLog
    lanes: Lanes
    kinds: Kinds
    account: Account
    explain: Explain
    watch: Watch
    sources: ConfiguredSources
    metrics: Metrics
    telemetry: Telemetry
    collect: Collect | None = None
    retain: Retain | None = None
    dispatcher: Dispatcher | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def run(self, stop: asyncio.Event) -> None:
        """Does the work of the roles until ``stop`` is set. Raises what ends one of them."""
        roles = [self._follow_registry(stop)]
        if self.dispatcher is not None:
            roles.append(self.dispatcher.run(stop))
        if self.retain is not None:
            roles.append(self._retain(stop))
        async with asyncio.TaskGroup() as group:
            for role in roles:
                group.create_task(role)

    async def books(self) -> list[Books]:
        return await self.account.books(await self.registry.load())

    async def traces(self, text: str) -> list[Trace]:
        return await self.explain.traces(await self.registry.load(), text)

    async def troubles(self) -> list[str]:
        """Why the server is not ready; empty when it is."""
        try:
            return await self.watch.troubles(await self.registry.load())
        except PinyonError as error:
            return [str(error)]

    async def render_metrics(self) -> bytes:
        registry = await self.registry.load()
        return self.metrics.render(
            await self.account.books(registry), await self.watch.lags(registry), await self.log.facts()
        )

    async def close(self) -> None:
        await self.log.close()
        await self.lanes.close()
        await self.registry.close()

    async def _follow_registry(self, stop: asyncio.Event) -> None:
        revision = -1
        while not stop.is_set():
            registry = await self.registry.load()
            if registry.revision != revision:
                self.sources.follow(registry)
                revision = registry.revision
            await _pause(stop, FOLLOW_EVERY)

    async def _retain(self, stop: asyncio.Event) -> None:
        assert self.retain is not None
        while not stop.is_set():
            await self.retain.run(await self.registry.load())
            await _pause(stop, RETAIN_EVERY)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return

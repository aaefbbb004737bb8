"""The stores in memory keep to the ports."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from pinyon.adapters.memory import MemoryEventLog, MemoryLanes, MemoryRegistryStore
from pinyon.testing.conformance.event_log import EventLogConformance
from pinyon.testing.conformance.lanes import LanesConformance
from pinyon.testing.conformance.registry import RegistryConformance


@asynccontextmanager
async def closing(store):
    yield store
    await store.close()


class TestEventLog(EventLogConformance):
    @pytest.fixture
    def open_log(self):
        return lambda: closing(MemoryEventLog())


class TestLanes(LanesConformance):
    @pytest.fixture
    def open_lanes(self):
        return lambda: closing(MemoryLanes())


class TestRegistry(RegistryConformance):
    @pytest.fixture
    def open_registry(self):
        return lambda: closing(MemoryRegistryStore())

"""The relational stores keep to the ports, and to what their database promises."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from pinyon.adapters.sql import Database, SqlLanes, SqlRegistryStore
from pinyon.adapters.vault import Keyring
from pinyon.testing.conformance.lanes import DurableLanesConformance
from pinyon.testing.conformance.registry import DurableRegistryConformance

KEYRING = Keyring(bytes(range(32)))


@asynccontextmanager
async def database(path):
    opened = Database.open(path)
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def lanes(path):
    async with database(path) as opened:
        yield SqlLanes(opened)


@asynccontextmanager
async def registry(path, keyring=KEYRING):
    async with database(path) as opened:
        yield SqlRegistryStore(opened, keyring)


class TestLanes(DurableLanesConformance):
    @pytest.fixture
    def open_lanes(self, tmp_path):
        return lambda: lanes(tmp_path / "state.db")


class TestRegistry(DurableRegistryConformance):
    @pytest.fixture
    def open_registry(self, tmp_path):
        return lambda: registry(tmp_path / "state.db")

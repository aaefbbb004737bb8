"""The event log in SQLite keeps to the port, and to what its file promises."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from pinyon.adapters.sqlite import SqliteEventLog
from pinyon.adapters.vault import Keyring
from pinyon.testing.conformance.event_log import DurableEventLogConformance

KEYRING = Keyring(bytes(range(32)))


@asynccontextmanager
async def opened(path, **options):
    log = SqliteEventLog.open(path, KEYRING, **options)
    try:
        yield log
    finally:
        await log.close()


class TestEventLog(DurableEventLogConformance):
    @pytest.fixture
    def open_log(self, tmp_path):
        return lambda: opened(tmp_path / "log.db")

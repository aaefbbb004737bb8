"""The embedded profile: one machine, SQLite files in one folder."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from pinyon.adapters.clock import SystemClock
from pinyon.adapters.outbound import HttpSender
from pinyon.adapters.prometheus import PrometheusTelemetry
from pinyon.adapters.sql import Database, SqlLanes, SqlRegistryStore
from pinyon.adapters.sqlite import FolderLock, SqliteEventLog
from pinyon.adapters.vault import Keyring
from pinyon.app import ConfiguredSources, Pinyon
from pinyon.config import Settings
from pinyon.domain.delivery import RetryPolicy
from pinyon.domain.errors import ConfigurationInvalid, PinyonError, StoreDamaged
from pinyon.domain.registry import Registry
from pinyon.flows import configure
from pinyon.flows.account import Account
from pinyon.flows.collect import Collect, Limits
from pinyon.flows.dispatch import Dispatcher, open_lane
from pinyon.flows.explain import Explain
from pinyon.flows.gate import Pace, Tools
from pinyon.flows.retain import Retain
from pinyon.flows.watch import Watch
from pinyon.profiles.destinations import TYPES, kinds

LOG_FILE: Final = "log.db"
STATE_FILE: Final = "state.db"
KEY_FILE: Final = "secret.key"
DELIVER_LOCK: Final = "deliver.lock"
#: Seconds between two tries to become the one that delivers.
LOCK_EVERY: Final = 0.2


@asynccontextmanager
async def open_pinyon(settings: Settings, *, collect: bool = False, deliver: bool = False) -> AsyncIterator[Pinyon]:
    """The server's parts over the files in ``settings.data``, for the roles asked for.

    With neither role it is for looking only: ``explain`` and ``account`` read the same files while a server runs.
    Raises ``PinyonError`` for what a person must mend: a key that does not fit, a file of a newer version, a folder
    that another server uses.
    """
    if not (collect or deliver) and not (settings.data / LOG_FILE).exists():
        raise ConfigurationInvalid(
            f"{settings.data} holds no Pinyon data.", advice="Name the folder: --data DIR, or PINYON_DATA."
        )
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = await _sole_deliverer(settings) if deliver else None
    keyring = _keyring(settings, create=collect or deliver)
    telemetry = PrometheusTelemetry(_metrics_folder())
    log = SqliteEventLog.open(
        settings.data / LOG_FILE,
        keyring,
        writable=collect,
        max_queue_bytes=settings.ingest_queue_bytes,
        telemetry=telemetry,
    )
    database = Database.open(settings.data / STATE_FILE)
    registry, lanes = SqlRegistryStore(database, keyring), SqlLanes(database)
    await _check_positions(log, lanes)
    clock = SystemClock()
    sources = ConfiguredSources()
    pinyon = Pinyon(
        clock=clock,
        registry=registry,
        log=log,
        lanes=lanes,
        kinds=kinds(settings),
        account=Account(log, lanes),
        explain=Explain(log, lanes, kinds(settings)),
        watch=Watch(log, lanes, clock),
        sources=sources,
        metrics=telemetry,
        telemetry=telemetry,
    )
    sender = HttpSender(settings.send_timeout.total_seconds())
    if collect:
        limits = Limits(settings.max_event_bytes, settings.max_batch_events)
        pinyon.collect = Collect(log, clock, sources, limits)
        pinyon.retain = Retain(log, lanes, clock, settings.retention.total_seconds())
    if deliver:
        tools = Tools(log, lanes, sender, clock, telemetry)
        window = settings.dedup_window.total_seconds()
        pinyon.dispatcher = Dispatcher(registry, pinyon.kinds, tools, _pace(settings), window)
    try:
        yield pinyon
    finally:
        await sender.close()
        await pinyon.close()
        if lock is not None:
            lock.release()


async def _sole_deliverer(settings: Settings) -> FolderLock:
    """Two deliverers on one lane would send everything twice. One whose server was killed ends within its drain time.

    Raises ``PinyonError`` (store_locked) when another goes on beyond that.
    """
    attempts = int(settings.drain_timeout.total_seconds() / LOCK_EVERY) + 50
    for _ in range(attempts):
        with suppress(PinyonError):
            return FolderLock(settings.data / DELIVER_LOCK)
        await asyncio.sleep(LOCK_EVERY)
    return FolderLock(settings.data / DELIVER_LOCK)


async def _check_positions(log: SqliteEventLog, lanes: SqlLanes) -> None:
    """A lane that is ahead of its log would take new events for delivered ones. Raises ``StoreDamaged``."""
    head = await log.head()
    for lane in await lanes.all():
        if lane.position > head:
            await log.close()
            await lanes.close()
            raise StoreDamaged(
                "log_behind_state",
                f"{STATE_FILE} is newer than {LOG_FILE}: a lane is at chunk {lane.position}, the log ends at {head}.",
                "The files are of different moments. Restore both from one backup, the state no later than the log.",
            )


async def configure_with(pinyon: Pinyon, document: configure.Configuration) -> Registry:
    """Make the registry say what the document says, and open the lanes of new destinations.

    Lanes are opened here, before anything is collected, so that the first event finds its destination listening.
    """
    current = await pinyon.registry.load()
    wanted = configure.apply(document, current, TYPES, new_id)
    registry = current if wanted == current else await pinyon.registry.save(wanted)
    for destination in registry.destinations:
        await open_lane(pinyon.log, pinyon.lanes, destination, pinyon.clock.now())
    return registry


def new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(6)}"


def _keyring(settings: Settings, *, create: bool) -> Keyring:
    if settings.secret_key is not None:
        return Keyring.from_text(settings.secret_key.get_secret_value())
    return Keyring.from_file(settings.secret_key_file or settings.data / KEY_FILE, create=create)


def _metrics_folder() -> Path | None:
    """Where collecting and delivering share their figures when they are two processes; set by ``pinyon serve``."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None


def _pace(settings: Settings) -> Pace:
    return Pace(
        flush_interval=settings.flush_interval.total_seconds(),
        batches_in_flight=settings.batches_in_flight,
        drain_timeout=settings.drain_timeout.total_seconds(),
        retry=RetryPolicy(settings.retry_base.total_seconds(), settings.retry_cap.total_seconds()),
    )

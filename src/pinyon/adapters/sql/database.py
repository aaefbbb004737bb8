"""One relational database, used off the event loop: one thread writes, others read."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from pinyon.adapters.sql.tables import REVISION
from pinyon.domain.errors import PinyonError, StoreDamaged, Unavailable

T = TypeVar("T")

#: Readers at once: a person's search must not hold up a lane.
READERS: Final = 2

#: Seconds to wait for another process that writes to the same file.
_BUSY: Final = 30


class Database:
    """Runs transactions. Several stores may share one."""

    def __init__(self, name: str, writer: sa.Engine, reader: sa.Engine) -> None:
        self._name = name
        self._engines = {"write": writer, "read": reader}
        self._threads = {
            "write": ThreadPoolExecutor(1, thread_name_prefix="state-writer"),
            "read": ThreadPoolExecutor(READERS, thread_name_prefix="state-reader"),
        }

    @classmethod
    def open(cls, path: Path) -> Self:
        """The SQLite file ``path``, made when it is not there, brought to the newest schema.

        Several processes may open it at once. Raises ``PinyonError`` (``store_too_new``), ``StoreDamaged`` and
        ``Unavailable``.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = _sqlite(path, "BEGIN IMMEDIATE", 1)
        with path.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one process upgrades, the others find it done
            try:
                if _revision(writer) != REVISION:
                    from pinyon.adapters.sql.schema import upgrade  # noqa: PLC0415  # half of a start, seldom needed

                    upgrade(writer, path.name)
            except sa.exc.DBAPIError as error:
                raise _translated(error, path.name) from error
        return cls(path.name, writer, _sqlite(path, "BEGIN", READERS))

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """What ``query`` answers; it sees the database at one moment."""
        return await self._run("read", query)

    async def write(self, change: Callable[[sa.Connection], T]) -> T:
        """What ``change`` answers, durable; nothing of it is kept when it raises."""
        return await self._run("write", change)

    async def close(self) -> None:
        """Waits for the transactions that run. May be called again."""
        for threads in self._threads.values():
            await asyncio.to_thread(threads.shutdown)
        for engine in self._engines.values():
            engine.dispose()

    async def _run(self, how: str, transaction: Callable[[sa.Connection], T]) -> T:
        def run() -> T:
            try:
                with self._engines[how].begin() as connection:
                    return transaction(connection)
            except sa.exc.IntegrityError:
                raise  # not the database's failure
            except sa.exc.DBAPIError as error:
                raise _translated(error, self._name) from error

        try:
            asked = self._threads[how].submit(run)
        except RuntimeError as error:  # the threads are shut down
            raise Unavailable("state_closed", f"{self._name} is closed.") from error
        return await asyncio.wrap_future(asked)


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert many rows of plain numbers, texts and bytes, all with the same columns.

    Executing the statement in the usual way takes 13 us a row (14 columns) to look after the parameters, twice what
    the database takes; here the driver gets them as they are.
    """
    statement = sa.insert(table).compile(dialect=connection.dialect, column_keys=list(rows[0]))
    if statement.positiontup is not None:  # the driver counts its parameters, others name them
        columns = itemgetter(*statement.positiontup)
        connection.exec_driver_sql(str(statement), [columns(row) for row in rows])
    else:
        connection.exec_driver_sql(str(statement), [dict(row) for row in rows])


def _revision(engine: sa.Engine) -> str | None:
    """The revision of the schema, as Alembic keeps it; None for an empty database."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return revision


def _sqlite(path: Path, begin: str, connections: int) -> sa.Engine:
    engine = sa.create_engine(
        f"sqlite+pysqlite:///{path.absolute()}",
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,  # an error must not show the values of a statement
        connect_args={"timeout": _BUSY, "isolation_level": None, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
        connection.execute("PRAGMA foreign_keys = 1")
        connection.execute("PRAGMA cache_size = -32768")  # KiB

    @sa.event.listens_for(engine, "begin")
    def start(connection: sa.Connection) -> None:
        # The driver's own BEGIN is deferred: a transaction that reads, then writes, may then fail with "locked".
        connection.exec_driver_sql(begin)

    return engine


def _translated(error: sa.exc.DBAPIError, name: str) -> PinyonError:
    """A database's failure in our words. The statement and its values stay out: they hold a person's data."""
    words = str(error.orig)
    code = getattr(error.orig, "sqlite_errorname", "")
    if code in {"SQLITE_CORRUPT", "SQLITE_NOTADB"}:
        return StoreDamaged("state_damaged", f"{name} is damaged: {words}.", "Restore it from a backup.")
    if code == "SQLITE_FULL":
        return Unavailable("disk_full", f"{name} cannot grow: the disk is full.", "Free some space.")
    return Unavailable("state_unavailable", f"{name} cannot be used: {words}.")

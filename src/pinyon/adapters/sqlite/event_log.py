"""The event log in one SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

from pinyon.adapters.sqlite import codec, retention
from pinyon.adapters.sqlite.checkpoints import Checkpointer
from pinyon.adapters.sqlite.head import Head
from pinyon.adapters.sqlite.inbox import Inbox
from pinyon.adapters.sqlite.lock import FolderLock
from pinyon.adapters.sqlite.reader import Queries, Readers
from pinyon.adapters.sqlite.schema import broken, connect_reader, connect_writer
from pinyon.adapters.sqlite.writer import Entry, Job, Refusal, Writer
from pinyon.adapters.vault import Keyring
from pinyon.domain.books import SourceTotals
from pinyon.domain.chunk import Chunk, ChunkHeader, Rejection, Submission
from pinyon.domain.errors import PinyonError, StoreDamaged, Unavailable
from pinyon.domain.lane import Place, reference
from pinyon.ports.event_log import EventLog, LogFacts
from pinyon.ports.telemetry import Silent, Telemetry

T = TypeVar("T")

#: At start, a file up to this size is read through, and the seals of this many chunks are opened.
CHECKED_BYTES: Final = 256 << 20
CHECKED_CHUNKS: Final = 64

#: The write-ahead log is emptied when it has more bytes than this.
WAL_BYTES: Final = 256 << 20

#: Seconds between two looks for what another process has appended: the first, and the longest when nothing comes.
_FIRST_LOOK: Final = 0.02
_LONGEST_LOOK: Final = 0.1


class SqliteEventLog(EventLog):
    """One process opens it for writing, any number for reading."""

    def __init__(self, path: Path, queries: Queries, readers: Readers, writing: _Writing | None) -> None:
        self._path = path
        self._queries = queries
        self._readers = readers
        self._writing = writing

    @classmethod
    def open(
        cls,
        path: Path,
        keyring: Keyring,
        *,
        writable: bool = True,
        max_queue_bytes: int = 64 << 20,
        max_bytes: int | None = None,
        telemetry: Telemetry | None = None,
    ) -> Self:
        """The log in the file ``path``; with ``writable`` it is made when it is not there.

        ``max_queue_bytes`` bounds the bodies that wait to be written, ``max_bytes`` the file. Blocks while the
        file is checked. Raises ``PinyonError``: ``store_locked`` when another process writes to the folder,
        ``store_too_new``, ``log_missing`` (only read), ``secret_key_wrong``, and ``StoreDamaged``.
        """
        queries = Queries(path, keyring)
        writing = None
        if writable:
            path.parent.mkdir(parents=True, exist_ok=True)
            writing = _Writing(path, keyring, queries, max_queue_bytes, max_bytes, telemetry or Silent())
        else:
            db = connect_reader(path)
            queries.check(db, newest=0)
            db.close()
        return cls(path, queries, Readers(path), writing)

    async def append(
        self, workspace_id: str, submission: Submission | None, rejections: Sequence[Rejection] = ()
    ) -> None:
        """As the port says. Raises ``RequestRefused`` when a text in it has no UTF-8 form."""
        writing = self._writer()
        if submission is not None and not submission.events:
            submission = None
        if submission is None and not rejections:
            return
        future = asyncio.get_running_loop().create_future()
        keys = submission.keys() if submission else b""
        refusals = [_refusal(rejection) for rejection in rejections]
        size = _weight(submission, refusals)
        writing.inbox.put(Entry(workspace_id, submission, keys, size, refusals, future), size)
        await future

    async def headers(self, workspace_id: str, *, after: int, limit: int) -> list[ChunkHeader]:
        return await self._readers.run(lambda db: self._queries.headers(db, workspace_id, after, limit))

    async def read(self, workspace_id: str, *, after: int, through: int) -> list[Chunk]:
        return await self._readers.run(lambda db: self._queries.read(db, workspace_id, after, through))

    async def wait(self, *, after: int, timeout: float) -> bool:
        if await self.head() > after:
            return True
        try:
            async with asyncio.timeout(timeout):
                if self._writing:
                    await self._writing.head.passes(after)
                else:
                    await self._look(after)
        except TimeoutError:
            return False
        return True

    async def _look(self, after: int) -> None:
        """Ends when another process has appended."""
        pause = _FIRST_LOOK
        while True:
            await asyncio.sleep(pause)
            if await self.head() > after:
                return
            pause = min(pause * 1.5, _LONGEST_LOOK)

    async def head(self) -> int:
        if self._writing:
            return self._writing.head.seq
        return await self._readers.run(self._queries.head)

    async def since(self, workspace_id: str, received_at: float) -> int:
        return await self._readers.run(lambda db: self._queries.since(db, workspace_id, received_at))

    async def unread(self, workspace_id: str, *, after: int) -> dict[str, int]:
        return await self._readers.run(lambda db: self._queries.unread(db, workspace_id, after))

    async def totals(self, workspace_id: str, *, through: int | None = None) -> dict[str, SourceTotals]:
        return await self._readers.run(lambda db: self._queries.totals(db, workspace_id, through))

    async def find(self, workspace_id: str, key: bytes) -> list[Place]:
        return await self._readers.run(lambda db: self._queries.find(db, workspace_id, key))

    async def rejections(
        self, workspace_id: str, *, message_id: str | None = None, limit: int = 100
    ) -> list[Rejection]:
        return await self._readers.run(lambda db: self._queries.rejections(db, workspace_id, message_id, limit))

    async def forget(self, workspace_id: str, *, through: int, received_before: float) -> int:
        """As the port says; in the process that writes. Others may append between its small transactions."""
        writing = self._writer()
        done = retention.Slice(deleted=0, after=0, more=True)
        while done.more:
            done = await writing.job(retention.forgetting(done, workspace_id, through, received_before))
        return done.deleted

    async def facts(self) -> LogFacts:
        chunks, first, head = await self._readers.run(self._queries.extent)
        files = [self._path, self._path.with_name(self._path.name + "-wal")]
        size = sum(file.stat().st_size for file in files if file.exists())
        return LogFacts(bytes=size, chunks=chunks, first_seq=first, last_seq=head)

    async def close(self) -> None:
        if self._writing:
            await asyncio.to_thread(self._writing.close)
        await asyncio.to_thread(self._readers.close)

    def _writer(self) -> _Writing:
        if self._writing is None:
            raise Unavailable("log_read_only", f"{self._path} is open for reading only in this process.")
        return self._writing


class _Writing:
    """What the writing process has besides: the lock, the queue, and two threads."""

    def __init__(
        self,
        path: Path,
        keyring: Keyring,
        queries: Queries,
        max_queue_bytes: int,
        max_bytes: int | None,
        telemetry: Telemetry,
    ) -> None:
        self._lock = FolderLock(path.with_suffix(".lock"))
        try:
            db = _checked(path, queries, max_bytes)
        except PinyonError:
            self._lock.release()
            raise
        self.inbox: Inbox[Entry | Job] = Inbox(max_queue_bytes)
        self.head = Head(queries.head(db))
        self._writer = Writer(db, path, keyring, self.inbox, head=self.head, telemetry=telemetry)
        self._checkpointer = Checkpointer(path, self._writer.busy, max_wal_bytes=WAL_BYTES)
        self._writer.start()
        self._checkpointer.start()

    async def job(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Let the writer do this, in a transaction of its own."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.inbox.put(Job(run, future), 0)
        return await future

    def close(self) -> None:
        """Blocks until what is queued is committed."""
        self.inbox.close()
        self._writer.join()
        self._checkpointer.stop()
        self._lock.release()


def _checked(path: Path, queries: Queries, max_bytes: int | None) -> sqlite3.Connection:
    """The writing connection to a file found whole. Raises ``StoreDamaged``."""
    try:
        db = connect_writer(path, max_bytes=max_bytes)
    except sqlite3.Error as error:
        raise broken(error, path) from error
    try:
        if path.stat().st_size <= CHECKED_BYTES:
            [finding] = db.execute("PRAGMA quick_check(1)").fetchone()
            if finding != "ok":
                raise StoreDamaged("log_damaged", f"{path} is damaged: {finding}.", "Restore it from a backup.")
        queries.check(db, newest=CHECKED_CHUNKS)
    except sqlite3.Error as error:
        db.close()
        raise broken(error, path) from error
    except PinyonError:
        db.close()
        raise
    return db


def _weight(submission: Submission | None, refusals: Sequence[Refusal]) -> int:
    """Bytes, all but a few."""
    bodies = [len(event.body) for event in submission.events] if submission else []
    return sum(bodies) + sum([len(refusal.packed) for refusal in refusals])


def _refusal(rejection: Rejection) -> Refusal:
    message = reference(rejection.message_id or "")
    return Refusal(rejection.source_id, rejection.received_at, message, codec.pack_rejection(rejection))

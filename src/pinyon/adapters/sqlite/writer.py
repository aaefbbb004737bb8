"""The one thread that writes the log: it commits whatever queued while its last commit ran."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from pinyon.adapters.sqlite import codec
from pinyon.adapters.sqlite.head import Head
from pinyon.adapters.sqlite.inbox import Inbox
from pinyon.adapters.sqlite.schema import unavailable
from pinyon.adapters.vault import DataKey, Keyring
from pinyon.domain.chunk import KEY_BYTES, Submission
from pinyon.domain.errors import RequestRefused, Unavailable
from pinyon.ports.telemetry import Telemetry

#: A commit is cut into chunks of about this many events, and of this many bytes before compression.
CHUNK_EVENTS: Final = 1_000
CHUNK_BYTES: Final = 4 << 20

#: The most that one commit takes from the queue, in bytes before compression: bounds how long it lasts.
COMMIT_BYTES: Final = 16 << 20


class Refusal(Struct, frozen=True):
    """A rejection, ready to be sealed."""

    source_id: str
    received_at: float
    message: bytes  # digest of the message id
    packed: bytes


class Entry(Struct, eq=False):
    """One ``append``."""

    workspace_id: str
    submission: Submission | None
    keys: bytes
    size: int  # bytes
    refusals: list[Refusal]
    future: asyncio.Future[None]


class Job(Struct, eq=False):
    """Something else to be written, between two commits."""

    run: Callable[[sqlite3.Connection], Any]
    future: asyncio.Future[Any]


class _Rows(Struct):
    """What one commit inserts."""

    workspaces: list[tuple[str, bytes]] = field(default_factory=list)
    chunks: list[tuple[str, int, float, float, str]] = field(default_factory=list)
    keys: list[tuple[int, bytes]] = field(default_factory=list)
    payloads: list[tuple[int, bytes]] = field(default_factory=list)
    rejections: list[tuple[str, float, bytes, bytes]] = field(default_factory=list)
    received: Counter[tuple[str, str]] = field(default_factory=Counter)
    invalid: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: list[Entry] = field(default_factory=list)  # what cannot be packed


class Writer(threading.Thread):
    """Owns the writing connection until it has ended."""

    def __init__(
        self,
        db: sqlite3.Connection,
        path: Path,
        keyring: Keyring,
        inbox: Inbox[Entry | Job],
        *,
        head: Head,
        telemetry: Telemetry,
    ) -> None:
        super().__init__(name="log-writer", daemon=True)
        self._db = db
        self._path = path
        self._keyring = keyring
        self._inbox = inbox
        self._telemetry = telemetry
        self._packer = codec.Packer()
        self._keys: dict[str, DataKey] = {}
        self._head = head
        #: Held while a transaction runs. A checkpoint that needs the writer to stand still takes it too: waiting
        #: for each other inside SQLite means sleeping in steps of up to 100 ms.
        self.busy = threading.Lock()

    def run(self) -> None:
        try:
            while self._step():
                pass
        finally:  # nothing is left, or this thread has failed and nobody must wait for it
            self._inbox.close()
            left, _ = self._inbox.take(sys.maxsize)
            _settle(left, Unavailable("log_unavailable", "The event log has failed.", "Start the server again."))
            self._db.close()

    def _step(self) -> bool:
        """Write what is queued; false when the log is closed and nothing is left."""
        items, size = self._inbox.take(COMMIT_BYTES)
        entries = [item for item in items if isinstance(item, Entry)]
        if entries:
            self._commit(entries, size)
        else:
            self._inbox.done(size)
        for item in items:
            if isinstance(item, Job):
                self._do(item)
        return bool(items)

    def _commit(self, entries: list[Entry], size: int) -> None:
        begun = perf_counter()
        try:
            rows = self._prepare(entries)
            sync_seconds = self._insert(rows)
        except Exception as error:  # noqa: BLE001 - whatever it is, it fails this commit and not the next
            self._keys.clear()  # a new key may be lost with the transaction
            self._undo()
            self._inbox.done(size)
            _settle(entries, _failure(error, self._path))
            return
        self._inbox.done(size)  # before anyone is told: whoever appends again at once must find the room
        if rows.payloads:
            self._head.grow(rows.payloads[-1][0])
        _settle(rows.bad, _unstorable())
        _settle(entries, None)
        self._telemetry.committed(
            events=sum(rows.received.values()),
            payload_bytes=sum([len(payload) for _, payload in rows.payloads]),
            seconds=perf_counter() - begun,
            sync_seconds=sync_seconds,
        )

    def _do(self, job: Job) -> None:
        try:
            with self.busy:
                self._db.execute("BEGIN IMMEDIATE")
                result: object = job.run(self._db)
                self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - as above
            self._undo()
            result = _failure(error, self._path)
        _settle([job], result)

    def _undo(self) -> None:
        with suppress(sqlite3.Error):  # an error that ended the transaction itself
            self._db.execute("ROLLBACK")

    def _prepare(self, entries: list[Entry]) -> _Rows:
        """All that costs processor time, before the transaction begins."""
        rows = _Rows()
        seq = self._head.seq
        by_workspace: dict[str, list[Entry]] = {}
        for entry in entries:
            by_workspace.setdefault(entry.workspace_id, []).append(entry)
        for workspace_id, group in by_workspace.items():
            key = self._key(workspace_id, rows)
            for part in _cut(group):
                for packed, fitting in self._pack(part, rows.bad):
                    seq += 1
                    _add_chunk(rows, seq, workspace_id, fitting)
                    rows.payloads.append((seq, key.seal(packed, codec.chunk_context(seq))))
            for entry in group:
                if entry not in rows.bad:  # of which nothing is stored
                    _add_refusals(rows, key, entry)
        return rows

    def _pack(self, entries: Sequence[Entry], bad: list[Entry]) -> list[tuple[bytes, Sequence[Entry]]]:
        """The payloads of these entries: one, unless an entry cannot be packed and has to be found."""
        try:
            packed = self._packer.pack([entry.submission for entry in entries if entry.submission])
        except UnicodeEncodeError:
            if len(entries) == 1:
                bad.append(entries[0])
                return []
            middle = len(entries) // 2
            return [*self._pack(entries[:middle], bad), *self._pack(entries[middle:], bad)]
        return [(packed, entries)]

    def _key(self, workspace_id: str, rows: _Rows) -> DataKey:
        key = self._keys.get(workspace_id)
        if key is not None:
            return key
        found = self._db.execute("SELECT wrapped_key FROM workspaces WHERE id = ?", (workspace_id,)).fetchone()
        if found is not None:
            key = self._keyring.unwrap(workspace_id, found[0])
        else:
            key, wrapped = self._keyring.new_key(workspace_id)
            rows.workspaces.append((workspace_id, wrapped))
        self._keys[workspace_id] = key
        return key

    def _insert(self, rows: _Rows) -> float:
        """One transaction; how many seconds its durable end took."""
        sources = rows.received.keys() | rows.invalid.keys()
        ledger = [(*source, rows.received[source], rows.invalid[source]) for source in sorted(sources)]
        with self.busy:
            db = self._db
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO workspaces VALUES (?, ?)", rows.workspaces)
            db.executemany("INSERT INTO payloads VALUES (?, ?)", rows.payloads)
            db.executemany("INSERT INTO keys VALUES (?, ?)", rows.keys)
            db.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?)", rows.chunks)
            db.executemany(
                "INSERT INTO rejections (workspace_id, received_at, message, sealed) VALUES (?, ?, ?, ?)",
                rows.rejections,
            )
            db.executemany(
                "INSERT INTO ledger VALUES (?, ?, ?, ?) ON CONFLICT (workspace_id, source_id) DO UPDATE"
                " SET received = received + excluded.received, invalid = invalid + excluded.invalid",
                ledger,
            )
            begun = perf_counter()
            db.execute("COMMIT")
            return perf_counter() - begun


def _cut(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries with events, in chunks; a submission is never divided."""
    part: list[Entry] = []
    events = size = 0
    for entry in entries:
        if not entry.keys:
            continue
        more = len(entry.keys) // KEY_BYTES
        if part and (events + more > CHUNK_EVENTS or size + entry.size > CHUNK_BYTES):
            yield part
            part, events, size = [], 0, 0
        part.append(entry)
        events += more
        size += entry.size
    if part:
        yield part


def _add_chunk(rows: _Rows, seq: int, workspace_id: str, entries: Sequence[Entry]) -> None:
    counts: Counter[str] = Counter()
    times: list[float] = []
    for entry in entries:
        assert entry.submission is not None
        counts[entry.submission.source_id] += len(entry.keys) // KEY_BYTES
        times.append(entry.submission.received_at)
    for source_id, events in counts.items():
        rows.received[workspace_id, source_id] += events
    header = msgspec.json.encode(counts).decode()
    rows.chunks.append((workspace_id, seq, min(times), max(times), header))
    rows.keys.append((seq, b"".join([entry.keys for entry in entries])))


def _add_refusals(rows: _Rows, key: DataKey, entry: Entry) -> None:
    for refusal in entry.refusals:
        sealed = key.seal(refusal.packed, codec.REJECTION)
        rows.invalid[entry.workspace_id, refusal.source_id] += 1
        rows.rejections.append((entry.workspace_id, refusal.received_at, refusal.message, sealed))


def _failure(error: Exception, path: Path) -> Exception:
    return unavailable(error, path) if isinstance(error, sqlite3.Error) else error


def _unstorable() -> Exception:
    return RequestRefused("text_invalid", "A text has a lone surrogate and no UTF-8 form.", "Send valid Unicode.")


def _settle(asked: Iterable[Entry | Job], outcome: object) -> None:
    """Tell those who wait, with one call for each event loop. Those already told are left alone."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[Any]]] = {}
    for item in asked:
        by_loop.setdefault(item.future.get_loop(), []).append(item.future)
    for loop, futures in by_loop.items():
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_settle_here, futures, outcome)


def _settle_here(futures: list[asyncio.Future[Any]], outcome: object) -> None:
    for future in futures:
        if future.done():
            continue  # who waited has gone
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

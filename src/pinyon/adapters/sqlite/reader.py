"""Reading the log, off the event loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from pinyon.adapters.sqlite import codec
from pinyon.adapters.sqlite.schema import broken, connect_reader
from pinyon.adapters.vault import DataKey, Keyring
from pinyon.domain.books import SourceTotals
from pinyon.domain.chunk import KEY_BYTES, Chunk, ChunkHeader, Rejection
from pinyon.domain.errors import StoreDamaged, Unavailable
from pinyon.domain.lane import Place, reference

T = TypeVar("T")

#: Two: a person's search must not hold up a lane.
THREADS: Final = 2

_counts: Final = msgspec.json.Decoder(dict[str, int])


class Readers:
    """Threads that read, each with a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="log-reader")
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        try:
            asked = self._pool.submit(self._run, query)
        except RuntimeError as error:  # the pool is shut down
            raise Unavailable("log_closed", "The event log is closed.") from error
        return await asyncio.wrap_future(asked)

    def _run(self, query: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return query(self._connection())
        except sqlite3.Error as error:
            raise broken(error, self._path) from error

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._own, "db"):
            self._own.db = connect_reader(self._path)
            self._connections.append(self._own.db)
        db: sqlite3.Connection = self._own.db
        return db

    def close(self) -> None:
        """Waits for the queries that run."""
        self._pool.shutdown()
        for db in self._connections:
            db.close()


class Queries:
    """What can be asked of a log, each on a given connection."""

    def __init__(self, path: Path, keyring: Keyring) -> None:
        self._path = path
        self._keyring = keyring
        self._keys: dict[str, DataKey] = {}

    def headers(self, db: sqlite3.Connection, workspace_id: str, after: int, limit: int) -> list[ChunkHeader]:
        rows = db.execute(
            "SELECT c.workspace_id, c.seq, c.first_received_at, c.last_received_at, c.counts, k.keys"
            " FROM chunks c JOIN keys k ON k.seq = c.seq WHERE c.workspace_id = ? AND c.seq > ?"
            " ORDER BY c.seq LIMIT ?",
            (workspace_id, after, limit),
        )
        return [_header(*row) for row in rows]

    def read(self, db: sqlite3.Connection, workspace_id: str, after: int, through: int) -> list[Chunk]:
        rows = db.execute(
            "SELECT c.workspace_id, c.seq, c.first_received_at, c.last_received_at, c.counts, k.keys, p.sealed"
            " FROM chunks c LEFT JOIN keys k ON k.seq = c.seq LEFT JOIN payloads p ON p.seq = c.seq"
            " WHERE c.workspace_id = ? AND c.seq > ? AND c.seq <= ? ORDER BY c.seq",
            (workspace_id, after, through),
        )
        return [self._chunk(db, *row) for row in rows]

    def _chunk(
        self,
        db: sqlite3.Connection,
        workspace_id: str,
        seq: int,
        first: float,
        last: float,
        counts: str,
        keys: bytes | None,
        sealed: bytes | None,
    ) -> Chunk:
        if keys is None or sealed is None:
            raise self._damaged(seq, "a part of it is missing")
        header = _header(workspace_id, seq, first, last, counts, keys)
        try:
            submissions = codec.unpack(self.key(db, workspace_id).open(sealed, codec.chunk_context(seq)))
        except StoreDamaged as error:
            raise self._damaged(seq, "its seal is broken") from error
        except ValueError as error:
            raise self._damaged(seq, "its payload cannot be unpacked") from error
        if sum(len(submission.events) for submission in submissions) != header.events:
            raise self._damaged(seq, "its keys do not match its events")
        return Chunk(header, submissions)

    def check(self, db: sqlite3.Connection, newest: int) -> None:
        """Open every data key, and the seals of the newest chunks. Raises ``StoreDamaged``."""
        oldest = self.head(db) - newest
        for (workspace_id,) in db.execute("SELECT id FROM workspaces").fetchall():
            key = self.key(db, workspace_id)
            rows = db.execute(
                "SELECT c.seq, p.sealed FROM chunks c LEFT JOIN payloads p ON p.seq = c.seq"
                " WHERE c.workspace_id = ? AND c.seq > ?",
                (workspace_id, oldest),
            )
            for seq, sealed in rows:
                try:
                    key.open(sealed or b"", codec.chunk_context(seq))
                except StoreDamaged as error:
                    raise self._damaged(seq, "its seal is broken") from error

    def key(self, db: sqlite3.Connection, workspace_id: str) -> DataKey:
        if workspace_id not in self._keys:
            row = db.execute("SELECT wrapped_key FROM workspaces WHERE id = ?", (workspace_id,)).fetchone()
            self._keys[workspace_id] = self._keyring.unwrap(workspace_id, row[0] if row else b"")
        return self._keys[workspace_id]

    def head(self, db: sqlite3.Connection) -> int:
        row = db.execute("SELECT max((SELECT coalesce(max(seq), 0) FROM payloads), (SELECT seq FROM head))")
        seq: int = row.fetchone()[0]
        return seq

    def since(self, db: sqlite3.Connection, workspace_id: str, received_at: float) -> int:
        row = db.execute(
            "SELECT seq - 1 FROM chunks WHERE workspace_id = ? AND last_received_at >= ? ORDER BY seq LIMIT 1",
            (workspace_id, received_at),
        ).fetchone()
        return row[0] if row else self.head(db)

    def unread(self, db: sqlite3.Connection, workspace_id: str, after: int) -> dict[str, int]:
        return dict(
            db.execute(
                "SELECT each.key, sum(each.value) FROM chunks, json_each(chunks.counts) AS each"
                " WHERE workspace_id = ? AND seq > ? GROUP BY each.key",
                (workspace_id, after),
            )
        )

    def totals(self, db: sqlite3.Connection, workspace_id: str, through: int | None) -> dict[str, SourceTotals]:
        with _snapshot(db):
            later = {} if through is None else self.unread(db, workspace_id, through)
            ledger = db.execute(
                "SELECT source_id, received, invalid FROM ledger WHERE workspace_id = ?", (workspace_id,)
            )
            return {
                source_id: SourceTotals(received - later.get(source_id, 0), invalid)
                for source_id, received, invalid in ledger
            }

    def find(self, db: sqlite3.Connection, workspace_id: str, key: bytes) -> list[Place]:
        rows = db.execute(
            "SELECT c.seq, k.keys FROM chunks c JOIN keys k ON k.seq = c.seq"
            " WHERE c.workspace_id = ? AND instr(k.keys, ?) ORDER BY c.seq",
            (workspace_id, key),
        )
        return [Place(seq, index) for seq, keys in rows for index in _positions(keys, key)]

    def rejections(
        self, db: sqlite3.Connection, workspace_id: str, message_id: str | None, limit: int
    ) -> list[Rejection]:
        rows = db.execute(
            "SELECT sealed FROM rejections WHERE workspace_id = ?1 AND (?2 IS NULL OR message = ?2)"
            " ORDER BY id DESC LIMIT ?3",
            (workspace_id, None if message_id is None else reference(message_id), limit),
        )
        return [self._rejection(db, workspace_id, sealed) for (sealed,) in rows]

    def _rejection(self, db: sqlite3.Connection, workspace_id: str, sealed: bytes) -> Rejection:
        try:
            return codec.open_rejection(self.key(db, workspace_id), sealed)
        except StoreDamaged as error:
            raise StoreDamaged("log_damaged", f"{self._path}: a rejection: {error.message}", error.advice) from error

    def extent(self, db: sqlite3.Connection) -> tuple[int, int, int]:
        """The number of chunks, the first seq (0 when there is none) and the head."""
        with _snapshot(db):
            chunks: int = db.execute("SELECT count(*) FROM chunks").fetchone()[0]
            first: int = db.execute("SELECT coalesce(min(seq), 0) FROM payloads").fetchone()[0]
            return chunks, first, self.head(db)

    def _damaged(self, seq: int, how: str) -> StoreDamaged:
        return StoreDamaged(
            "chunk_damaged",
            f"{self._path}: chunk {seq} is damaged: {how}.",
            "Restore the file from a backup.",
        )


@contextmanager
def _snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """Several statements that see the log at one moment."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


def _header(workspace_id: str, seq: int, first: float, last: float, counts: str, keys: bytes) -> ChunkHeader:
    return ChunkHeader(seq, workspace_id, first, last, _counts.decode(counts), keys)


def _positions(keys: bytes, key: bytes) -> Iterator[int]:
    """The indices at which ``key`` stands; a match across two keys is none."""
    start = keys.find(key)
    while start >= 0:
        if start % KEY_BYTES == 0:
            yield start // KEY_BYTES
        start = keys.find(key, start + 1)

"""The file ``log.db``: its tables, and how it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from pinyon.domain.errors import PinyonError, StoreDamaged, Unavailable

#: Kept in ``user_version``: this code reads and writes files of this format.
FORMAT: Final = 1

#: Large pages keep a payload of 100 KB in few of them; it cannot be changed once the file is there.
PAGE_BYTES: Final = 16_384

# Headers, keys and payloads are apart so that a scan of one does not read the others from disk.
# ``head`` holds the greatest seq ever deleted, so that no seq is given twice.
_TABLES: Final = """
CREATE TABLE workspaces (
    id TEXT PRIMARY KEY,
    wrapped_key BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE chunks (
    workspace_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    first_received_at REAL NOT NULL,
    last_received_at REAL NOT NULL,
    counts TEXT NOT NULL, -- JSON: source id -> events
    PRIMARY KEY (workspace_id, seq)
) WITHOUT ROWID;
CREATE TABLE keys (
    seq INTEGER PRIMARY KEY,
    keys BLOB NOT NULL
);
CREATE TABLE payloads (
    seq INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL
);
CREATE TABLE ledger (
    workspace_id TEXT NOT NULL,
    source_id TEXT NOT NULL,
    received INTEGER NOT NULL,
    invalid INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, source_id)
) WITHOUT ROWID;
CREATE TABLE rejections (
    id INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    received_at REAL NOT NULL,
    message BLOB NOT NULL, -- digest of the message id
    sealed BLOB NOT NULL
);
CREATE INDEX rejections_newest ON rejections (workspace_id, id);
CREATE INDEX rejections_by_message ON rejections (workspace_id, message, id);
CREATE TABLE head (seq INTEGER NOT NULL);
INSERT INTO head VALUES (0);
"""


def connect_writer(path: Path, *, max_bytes: int | None) -> sqlite3.Connection:
    """The one writing connection; makes the file when there is none.

    With ``max_bytes`` the file refuses to grow beyond it, as if the disk were full.
    """
    db = _connect(path, mode="rwc")
    db.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # has effect on a new file only
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
    db.execute("PRAGMA wal_autocheckpoint = 0")  # checkpoints have their own thread
    db.execute("PRAGMA cache_size = -32768")  # KiB; holds what one commit changes
    if _version(db, path) == 0:
        db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {FORMAT}; COMMIT;")
    if max_bytes is not None:
        db.execute(f"PRAGMA max_page_count = {max(1, max_bytes // PAGE_BYTES)}")
    return db


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. Raises ``Unavailable`` when there is no log yet."""
    # Not mode=ro: a reader of a WAL file takes part in its shared memory, and recovers it after a crash.
    db = _connect(path, mode="rw")
    db.execute("PRAGMA query_only = 1")
    if _version(db, path) == 0:
        db.close()
        raise Unavailable("log_missing", f"{path} is not set up yet.", "Start the collecting process first.")
    return db


def connect_checkpointer(path: Path) -> sqlite3.Connection:
    """A connection that moves the WAL into the file; it never waits for readers."""
    db = _connect(path, mode="rw", timeout=0.0)
    db.execute("PRAGMA synchronous = FULL")
    return db


def unavailable(error: sqlite3.Error, path: Path) -> Unavailable:
    """What a failed write means to those who asked for it."""
    if _primary_code(error) == sqlite3.SQLITE_FULL:
        return Unavailable(
            "disk_full", f"{path} cannot grow: the disk is full or the log has reached its limit.", "Free some space."
        )
    return Unavailable("log_unavailable", f"{path} cannot be used: {error}.", "Look at the disk and its permissions.")


def broken(error: sqlite3.Error, path: Path) -> PinyonError:
    """What a failed read means."""
    if _primary_code(error) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreDamaged("log_damaged", f"{path} is damaged: {error}.", "Restore it from a backup.")
    return unavailable(error, path)


def _connect(path: Path, *, mode: str, timeout: float = 10.0) -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=timeout,
            isolation_level=None,  # we say BEGIN ourselves
            check_same_thread=False,  # each is used by one thread, and closed by another
        )
    except sqlite3.OperationalError as error:
        if path.exists():
            raise unavailable(error, path) from error
        raise Unavailable(
            "log_missing", f"There is no log at {path}.", "Start the collecting process first."
        ) from error


def _version(db: sqlite3.Connection, path: Path) -> int:
    try:
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error as error:
        raise broken(error, path) from error
    if version > FORMAT:
        db.close()
        raise PinyonError(
            "store_too_new",
            f"{path} has format {version}; this version of Pinyon reads format {FORMAT}.",
            "Use the version of Pinyon that wrote it, or a newer one.",
        )
    return version


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF

"""Deleting old chunks in small transactions, so that no commit waits long."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final

from msgspec import Struct

#: At most this many rows and payload bytes go in one transaction.
_ROWS: Final = 200
_BYTES: Final = 4 << 20


class Slice(Struct, frozen=True):
    """How far it has come: chunks deleted so far, the seq up to which was looked, and whether more may follow."""

    deleted: int
    after: int
    more: bool


def forgetting(
    done: Slice, workspace_id: str, through: int, received_before: float
) -> Callable[[sqlite3.Connection], Slice]:
    """The transaction that follows ``done``."""

    def forget(db: sqlite3.Connection) -> Slice:
        seqs = _old_chunks(db, workspace_id, done.after, through, received_before)
        for table in ("payloads", "keys"):
            db.executemany(f"DELETE FROM {table} WHERE seq = ?", [(seq,) for seq in seqs])  # noqa: S608 - our names
        db.executemany("DELETE FROM chunks WHERE workspace_id = ? AND seq = ?", [(workspace_id, seq) for seq in seqs])
        if seqs:
            db.execute("UPDATE head SET seq = max(seq, ?)", (seqs[-1],))
        rejections = _forget_rejections(db, workspace_id, received_before)
        return Slice(done.deleted + len(seqs), seqs[-1] if seqs else done.after, bool(seqs) or rejections == _ROWS)

    return forget


def _old_chunks(
    db: sqlite3.Connection, workspace_id: str, after: int, through: int, received_before: float
) -> list[int]:
    rows = db.execute(
        "SELECT c.seq, coalesce(length(p.sealed), 0) FROM chunks c LEFT JOIN payloads p ON p.seq = c.seq"
        " WHERE c.workspace_id = ? AND c.seq > ? AND c.seq <= ? AND c.last_received_at < ?"
        " ORDER BY c.seq LIMIT ?",
        (workspace_id, after, through, received_before, _ROWS),
    )
    seqs: list[int] = []
    total = 0
    for seq, size in rows:
        total += size
        if seqs and total > _BYTES:
            break
        seqs.append(seq)
    return seqs


def _forget_rejections(db: sqlite3.Connection, workspace_id: str, received_before: float) -> int:
    return db.execute(
        "DELETE FROM rejections WHERE id IN (SELECT id FROM rejections"
        " WHERE workspace_id = ? AND received_at < ? ORDER BY id LIMIT ?)",
        (workspace_id, received_before, _ROWS),
    ).rowcount

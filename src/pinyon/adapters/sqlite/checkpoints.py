"""Moves the write-ahead log into the file, beside the writer."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Final

import structlog

from pinyon.adapters.sqlite.schema import connect_checkpointer

#: Seconds between two rounds.
INTERVAL: Final = 0.25

_log = structlog.get_logger()


class Checkpointer(threading.Thread):
    """A thread and a connection of its own: inside the writer, a checkpoint would hold up every commit."""

    def __init__(self, path: Path, writer_busy: threading.Lock, *, max_wal_bytes: int) -> None:
        """The write-ahead log is emptied when it has more than ``max_wal_bytes`` bytes."""
        super().__init__(name="log-checkpointer", daemon=True)
        self._db = connect_checkpointer(path)
        self._wal = path.with_name(path.name + "-wal")
        self._writer_busy = writer_busy
        self._max_wal_bytes = max_wal_bytes
        self._stopped = threading.Event()

    def run(self) -> None:
        failing = False
        while not self._stopped.wait(INTERVAL):
            try:
                self.round()
                failing = False
            except sqlite3.Error as error:  # a full disk, say: what is not moved stays in the write-ahead log
                if not failing:
                    _log.warning("log.checkpoint_failed", error=str(error))
                failing = True
        self._db.close()

    def round(self) -> None:
        self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        if self._wal.stat().st_size <= self._max_wal_bytes:
            return
        # The writer stands still for what it wrote since the line above. A reader in the midst of reading makes
        # this fail at once, and the next round tries again.
        with self._writer_busy:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def stop(self) -> None:
        self._stopped.set()
        self.join()

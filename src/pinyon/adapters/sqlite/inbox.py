"""What waits for the writer: a queue bounded by bytes."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

from pinyon.domain.errors import Unavailable

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """Many threads put, one takes.

    An item counts until ``done`` is told of it, so that the bound holds for what is being written too.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Item, size: int) -> None:
        """Raises ``Unavailable`` when the queue is full or closed. One item always fits."""
        with self._changed:
            if self._closed:
                raise Unavailable("log_closed", "The event log is closed.")
            if self._bytes and self._bytes + size > self._max_bytes:
                raise Unavailable(
                    "ingest_queue_full",
                    f"More than {self._max_bytes >> 20} MiB of events wait to be written.",
                    "Send more slowly, or give the log a faster disk.",
                )
            self._bytes += size
            self._items.append((item, size))
            if len(self._items) == 1:
                self._changed.notify()

    def take(self, max_bytes: int) -> tuple[list[Item], int]:
        """The oldest items up to this size together (at least one), and their size.

        Blocks until there is one; empty when the inbox is closed and nothing is left.
        """
        with self._changed:
            while not self._items and not self._closed:
                self._changed.wait()
            taken: list[Item] = []
            total = 0
            while self._items and (not taken or total + self._items[0][1] <= max_bytes):
                item, size = self._items.popleft()
                taken.append(item)
                total += size
            return taken, total

    def done(self, size: int) -> None:
        with self._changed:
            self._bytes -= size

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

"""The end of the log, and those who wait for it to move."""

from __future__ import annotations

import asyncio
import threading


class Head:
    """The greatest seq, and those who wait for a greater one."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._changing = threading.Lock()

    def grow(self, seq: int) -> None:
        """Called by the writer."""
        with self._changing:
            self.seq = seq
            reached = [future for after, future in self._waiting if seq > after]
            self._waiting = [(after, future) for after, future in self._waiting if seq <= after]
        for future in reached:
            future.get_loop().call_soon_threadsafe(_wake, future)

    async def passes(self, after: int) -> None:
        """Ends when the head is greater than ``after``."""
        with self._changing:
            if self.seq > after:
                return
            future = asyncio.get_running_loop().create_future()
            waiting = (after, future)
            self._waiting.append(waiting)
        try:
            await future
        finally:
            with self._changing:
                if waiting in self._waiting:
                    self._waiting.remove(waiting)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

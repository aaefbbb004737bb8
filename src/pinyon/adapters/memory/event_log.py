"""The event log in memory: for tests of flows, and for trials without a disk."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence

from pinyon.domain.books import SourceTotals
from pinyon.domain.chunk import KEY_BYTES, Chunk, ChunkHeader, Rejection, Submission
from pinyon.domain.errors import Unavailable
from pinyon.domain.lane import Place
from pinyon.ports.event_log import EventLog, LogFacts


class MemoryEventLog(EventLog):
    """Every append is a chunk of its own. Lost with the process; used from one event loop."""

    def __init__(self) -> None:
        self._chunks: list[Chunk] = []
        self._rejections: list[tuple[str, Rejection]] = []
        self._totals: dict[str, dict[str, SourceTotals]] = {}
        self._head = 0
        self._grown = asyncio.Condition()
        self._closed = False

    async def append(
        self, workspace_id: str, submission: Submission | None, rejections: Sequence[Rejection] = ()
    ) -> None:
        if self._closed:
            raise Unavailable("log_closed", "The event log is closed.")
        for rejection in rejections:
            self._count(workspace_id, rejection.source_id, received=0, invalid=1)
            self._rejections.append((workspace_id, rejection))
        if submission is None or not submission.events:
            return
        self._count(workspace_id, submission.source_id, received=len(submission.events), invalid=0)
        async with self._grown:
            self._head += 1
            self._chunks.append(Chunk(_header(self._head, workspace_id, submission), [submission]))
            self._grown.notify_all()

    def _count(self, workspace_id: str, source_id: str, *, received: int, invalid: int) -> None:
        totals = self._totals.setdefault(workspace_id, {})
        before = totals.get(source_id, SourceTotals())
        totals[source_id] = SourceTotals(before.received + received, before.invalid + invalid)

    def _of(self, workspace_id: str, after: int = 0) -> Iterator[Chunk]:
        return (
            chunk for chunk in self._chunks if chunk.header.workspace_id == workspace_id and chunk.header.seq > after
        )

    async def headers(self, workspace_id: str, *, after: int, limit: int) -> list[ChunkHeader]:
        return [chunk.header for chunk in self._of(workspace_id, after)][:limit]

    async def read(self, workspace_id: str, *, after: int, through: int) -> list[Chunk]:
        return [chunk for chunk in self._of(workspace_id, after) if chunk.header.seq <= through]

    async def wait(self, *, after: int, timeout: float) -> bool:
        if self._head > after:
            return True
        try:
            async with asyncio.timeout(timeout), self._grown:
                await self._grown.wait_for(lambda: self._head > after)
        except TimeoutError:
            return False
        return True

    async def head(self) -> int:
        return self._head

    async def since(self, workspace_id: str, received_at: float) -> int:
        for chunk in self._of(workspace_id):
            if chunk.header.last_received_at >= received_at:
                return chunk.header.seq - 1
        return self._head

    async def unread(self, workspace_id: str, *, after: int) -> dict[str, int]:
        events: Counter[str] = Counter()
        for chunk in self._of(workspace_id, after):
            events.update(chunk.header.counts)
        return dict(events)

    async def totals(self, workspace_id: str, *, through: int | None = None) -> dict[str, SourceTotals]:
        later = {} if through is None else await self.unread(workspace_id, after=through)
        return {
            source_id: SourceTotals(totals.received - later.get(source_id, 0), totals.invalid)
            for source_id, totals in self._totals.get(workspace_id, {}).items()
        }

    async def find(self, workspace_id: str, key: bytes) -> list[Place]:
        return [
            Place(chunk.header.seq, index)
            for chunk in self._of(workspace_id)
            for index in range(chunk.header.events)
            if chunk.header.keys[index * KEY_BYTES : (index + 1) * KEY_BYTES] == key
        ]

    async def rejections(
        self, workspace_id: str, *, message_id: str | None = None, limit: int = 100
    ) -> list[Rejection]:
        return [
            rejection
            for workspace, rejection in reversed(self._rejections)
            if workspace == workspace_id and message_id in (None, rejection.message_id)
        ][:limit]

    async def forget(self, workspace_id: str, *, through: int, received_before: float) -> int:
        old = [
            chunk
            for chunk in self._of(workspace_id)
            if chunk.header.seq <= through and chunk.header.last_received_at < received_before
        ]
        self._chunks = [chunk for chunk in self._chunks if chunk not in old]
        self._rejections = [
            (workspace, rejection)
            for workspace, rejection in self._rejections
            if workspace != workspace_id or rejection.received_at >= received_before
        ]
        return len(old)

    async def facts(self) -> LogFacts:
        size = sum(
            len(event.body) for chunk in self._chunks for submission in chunk.submissions for event in submission.events
        )
        first = self._chunks[0].header.seq if self._chunks else 0
        return LogFacts(bytes=size, chunks=len(self._chunks), first_seq=first, last_seq=self._head)

    async def close(self) -> None:
        self._closed = True


def _header(seq: int, workspace_id: str, submission: Submission) -> ChunkHeader:
    received_at, counts = submission.received_at, {submission.source_id: len(submission.events)}
    return ChunkHeader(seq, workspace_id, received_at, received_at, counts, submission.keys())

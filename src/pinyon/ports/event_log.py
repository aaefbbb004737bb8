"""The event log: durable before the 200, read by lanes from their own positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from pinyon.domain.books import SourceTotals
from pinyon.domain.chunk import Chunk, ChunkHeader, Rejection, Submission
from pinyon.domain.lane import Place


class LogFacts(Struct, frozen=True):
    """How large the log is."""

    bytes: int  # on disk
    chunks: int
    first_seq: int  # 0 when empty
    last_seq: int


class EventLog(Protocol):
    """An append-only log of chunks, apart for each workspace.

    All methods are safe to call from several tasks. Chunks of a workspace are read in the order of ``seq``; a
    chunk once read is never followed by one with a smaller ``seq``.
    """

    async def append(
        self, workspace_id: str, submission: Submission | None, rejections: Sequence[Rejection] = ()
    ) -> None:
        """Returns when the submission and the rejections are durable, in one commit.

        Raises ``Unavailable`` when they are not: disk full, log closed, queue full. Nothing is then stored.
        """

    async def headers(self, workspace_id: str, *, after: int, limit: int) -> list[ChunkHeader]:
        """Up to ``limit`` headers with ``seq > after``."""

    async def read(self, workspace_id: str, *, after: int, through: int) -> list[Chunk]:
        """The chunks with ``after < seq <= through``.

        Raises ``StoreDamaged`` for a chunk whose payload fails its check.
        """

    async def wait(self, *, after: int, timeout: float) -> bool:
        """Whether a chunk with ``seq > after`` exists, of any workspace; waits up to ``timeout`` seconds for one."""

    async def head(self) -> int:
        """The greatest ``seq`` ever given; 0 before the first."""

    async def since(self, workspace_id: str, received_at: float) -> int:
        """The greatest ``seq`` below the first chunk with an event received at or after this time.

        The head when there is no such chunk.
        """

    async def unread(self, workspace_id: str, *, after: int) -> dict[str, int]:
        """Source id -> number of events in chunks with ``seq > after``."""

    async def totals(self, workspace_id: str, *, through: int | None = None) -> dict[str, SourceTotals]:
        """Source id -> what it has sent, ever. Kept beside the chunks and not lost when they are deleted.

        With ``through``, ``received`` counts chunks up to that seq only: the ledger less the later chunks, none of
        which may be deleted yet, read at one moment.
        """

    async def find(self, workspace_id: str, key: bytes) -> list[Place]:
        """Where events with this deduplication key are, oldest first; different ids may share a key."""

    async def rejections(
        self, workspace_id: str, *, message_id: str | None = None, limit: int = 100
    ) -> list[Rejection]:
        """The newest members that were refused, newest first."""

    async def forget(self, workspace_id: str, *, through: int, received_before: float) -> int:
        """Delete chunks with ``seq <= through`` whose last event came before this time; how many were deleted.

        Rejections received before this time go with them.
        """

    async def facts(self) -> LogFacts: ...

    async def close(self) -> None:
        """Commit what is queued, refuse what comes after."""

"""Exact deduplication in the order of the log.

An event is a duplicate when an event before it in the log, received within the window before it, has the same source
and message id. That depends on the log alone: every lane comes to the same answer, today and after a restart.

Memory holds the 64-bit keys of the window as sorted runs with the chunk of each (12 bytes an event), searched for a
whole unit of chunks at once. A key that is found is only a suspicion: the ids themselves, and the times, are compared.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from pinyon.domain.chunk import KEY_BYTES, Chunk, ChunkHeader
from pinyon.ports.event_log import EventLog

Keys = npt.NDArray[np.uint64]
Seqs = npt.NDArray[np.uint32]

#: Runs are merged up to this many keys: fewer runs to search against longer pauses for a merge.
LARGEST_RUN: Final = 1 << 22

#: Chunks of which the ids are kept at hand, for clients that send a batch again.
CHUNKS_KEPT: Final = 64


class Run(Struct, frozen=True, gc=False):
    """Keys in ascending order, and the chunk that each was first seen in."""

    keys: Keys
    seqs: Seqs
    newest: float  # when the last of its events was received


class SeenKeys:
    """The keys of the window. Pure: no log, no clock."""

    def __init__(self) -> None:
        self._runs: list[Run] = []

    def __len__(self) -> int:
        return sum(len(run.keys) for run in self._runs)

    def add(self, keys: Keys, seqs: Seqs, newest: float) -> None:
        """Keys in any order; ``newest`` is when the last of their events was received."""
        if len(keys) == 0:
            return
        order = np.argsort(keys, kind="stable")
        self._runs.append(Run(keys[order], seqs[order], newest))
        while len(self._runs) > 1 and self._worth_merging(self._runs[-2], self._runs[-1]):
            last, former = self._runs.pop(), self._runs.pop()
            self._runs.append(_merge(former, last))

    @staticmethod
    def _worth_merging(former: Run, last: Run) -> bool:
        return len(former.keys) <= 2 * len(last.keys) and len(former.keys) + len(last.keys) <= LARGEST_RUN

    def suspects(self, keys: Keys) -> list[tuple[int, int]]:
        """Pairs (index into ``keys``, chunk in which an equal key was seen)."""
        found: list[tuple[int, int]] = []
        for run in self._runs:
            left = np.searchsorted(run.keys, keys, side="left")
            np.minimum(left, len(run.keys) - 1, out=left)
            for index in np.flatnonzero(run.keys[left] == keys).tolist():
                place = int(left[index])
                while place < len(run.keys) and run.keys[place] == keys[index]:
                    found.append((index, int(run.seqs[place])))
                    place += 1
        return found

    def forget(self, before: float) -> None:
        """Drop runs whose events were all received before this time."""
        self._runs = [run for run in self._runs if run.newest >= before]


def _merge(former: Run, last: Run) -> Run:
    keys = np.concatenate((former.keys, last.keys))
    order = np.argsort(keys, kind="stable")  # two ascending halves: one merging pass
    return Run(keys[order], np.concatenate((former.seqs, last.seqs))[order], max(former.newest, last.newest))


#: An event by which it is known: source and message id.
Id = tuple[str, str]


class Deduplicator:
    """Marks the duplicates of one workspace's chunks; shared by its lanes."""

    def __init__(self, log: EventLog, workspace_id: str, window: float) -> None:
        self._log = log
        self._workspace_id = workspace_id
        self._window = window  # seconds
        self._seen = SeenKeys()
        # Keys of all chunks up to ``_through`` with events received since ``_since`` are in ``_seen``.
        self._through = 0
        self._since = math.inf
        self._needed: dict[str, float] = {}  # lane -> the window's beginning for the chunks it last asked for
        self._ids: OrderedDict[int, dict[Id, float]] = OrderedDict()
        self._lock = asyncio.Lock()

    def __len__(self) -> int:
        """The number of keys in memory."""
        return len(self._seen)

    async def mark(self, chunks: Sequence[Chunk], lane_id: str) -> list[frozenset[int]]:
        """For each chunk, the indexes of its duplicates. ``chunks`` follow each other in the log.

        What the lanes that have asked may need is kept in memory until they ask for later chunks or leave.
        """
        if not chunks:
            return []
        headers = [chunk.header for chunk in chunks]
        since = min(header.first_received_at for header in headers) - self._window
        async with self._lock:
            await self._catch_up(headers[0].seq, since)
            keys = _keys(headers)
            duplicates = await self._duplicates(chunks, keys)
            self._remember(headers, keys)
            self._needed[lane_id] = since
            self._forget()
            return _by_chunk(headers, duplicates)

    def leave(self, lane_id: str) -> None:
        """The lane asks for nothing for a while."""
        self._needed.pop(lane_id, None)

    async def _catch_up(self, first: int, since: float) -> None:
        """Read the keys before chunk ``first`` from the headers: of the window at start, of a gap later.

        A lane far behind the others needs keys of before their windows, so all is read anew.
        """
        if since < self._since:
            through = await self._log.since(self._workspace_id, since)
            self._seen, self._through, self._since = SeenKeys(), through, since
        while self._through < first - 1:
            headers = await self._log.headers(self._workspace_id, after=self._through, limit=512)
            headers = [header for header in headers if header.seq < first]
            if not headers:
                self._through = first - 1
                break
            self._remember(headers, _keys(headers))

    async def _duplicates(self, chunks: Sequence[Chunk], keys: Keys) -> set[int]:
        """Indexes into ``keys``."""
        owners = _seqs([chunk.header for chunk in chunks])
        suspects = [(index, seq) for index, seq in self._seen.suspects(keys) if seq < owners[index]]
        twins = _twins(keys)
        if not suspects and not twins:
            return set()
        events = _events(chunks)
        duplicates: set[int] = set()
        for index, seq in suspects:
            id_, received_at = events[index]
            known = await self._ids_of(seq)
            # With the chunk gone an equal key is all that is known, and that is as good as certain.
            if known is None or known.get(id_, -math.inf) >= received_at - self._window:
                duplicates.add(index)
        for group in twins:
            newest: dict[Id, float] = {}
            for index in group:
                id_, received_at = events[index]
                if newest.get(id_, -math.inf) >= received_at - self._window:
                    duplicates.add(index)
                newest[id_] = max(received_at, newest.get(id_, received_at))
        return duplicates

    async def _ids_of(self, seq: int) -> dict[Id, float] | None:
        """When each event of a chunk was received, the later time where an id repeats; None when the chunk is gone."""
        known = self._ids.get(seq)
        if known is None:
            chunks = await self._log.read(self._workspace_id, after=seq - 1, through=seq)
            if not chunks:
                return None
            known = {}
            for id_, received_at in _events(chunks):
                known[id_] = max(received_at, known.get(id_, received_at))
            self._ids[seq] = known
            if len(self._ids) > CHUNKS_KEPT:
                self._ids.popitem(last=False)
        else:
            self._ids.move_to_end(seq)
        return known

    def _remember(self, headers: list[ChunkHeader], keys: Keys) -> None:
        """Add what lies beyond ``_through``; another lane may have been here before."""
        seqs = _seqs(headers)
        fresh = seqs > self._through
        self._seen.add(keys[fresh], seqs[fresh], max(header.last_received_at for header in headers))
        self._through = max(self._through, headers[-1].seq)

    def _forget(self) -> None:
        """Drop what no lane needs, a sixteenth of the window at a time."""
        before = min(self._needed.values())
        if before - self._since > self._window / 16:
            self._seen.forget(before)
            self._since = before


def _events(chunks: Sequence[Chunk]) -> list[tuple[Id, float]]:
    """Each event's id and when it was received, in the order of the log."""
    return [
        ((submission.source_id, event.message_id), submission.received_at)
        for chunk in chunks
        for submission in chunk.submissions
        for event in submission.events
    ]


def _keys(headers: Sequence[ChunkHeader]) -> Keys:
    return np.frombuffer(b"".join([header.keys for header in headers]), dtype="<u8").astype(np.uint64, copy=False)


def _seqs(headers: Sequence[ChunkHeader]) -> Seqs:
    counts = [len(header.keys) // KEY_BYTES for header in headers]
    return np.repeat(np.array([header.seq for header in headers], dtype=np.uint32), counts)


def _twins(keys: Keys) -> list[list[int]]:
    """Groups of indexes with equal keys, each in ascending order."""
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1]).tolist()
    groups: list[list[int]] = []
    for place in same:
        if groups and groups[-1][-1] == order[place]:
            groups[-1].append(int(order[place + 1]))
        else:
            groups.append([int(order[place]), int(order[place + 1])])
    return groups


def _by_chunk(headers: Sequence[ChunkHeader], duplicates: set[int]) -> list[frozenset[int]]:
    if not duplicates:
        return [frozenset()] * len(headers)
    marked: list[frozenset[int]] = []
    start = 0
    for header in headers:
        end = start + header.events
        marked.append(frozenset(index - start for index in duplicates if start <= index < end))
        start = end
    return marked

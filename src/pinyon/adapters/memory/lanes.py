"""Lanes in memory: for tests of flows, and for trials without a disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from pinyon.domain.delivery import State
from pinyon.domain.lane import REFERENCE_BYTES, ExceptionRow, Lane, OutcomeRecord, Place
from pinyon.ports.lanes import Lanes, LaneTotals


class _Records(Struct):
    """What one lane has left, oldest first."""

    outcomes: list[OutcomeRecord] = field(default_factory=list)
    exceptions: dict[Place, ExceptionRow] = field(default_factory=dict)
    passed_over: int = 0


class MemoryLanes(Lanes):
    """Lost with the process; used from one event loop."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._records: dict[str, _Records] = {}

    async def open(
        self, workspace_id: str, destination_id: str, *, start: int, baseline: Mapping[str, int], now: float
    ) -> Lane:
        for lane in self._lanes.values():
            if (lane.workspace_id, lane.destination_id) == (workspace_id, destination_id):
                return lane
        lane_id = f"lane_{len(self._lanes) + 1}"
        lane = Lane(lane_id, workspace_id, destination_id, start, dict(baseline), position=start, opened_at=now)
        self._lanes[lane.id] = lane
        return lane

    async def all(self) -> list[Lane]:
        return list(self._lanes.values())

    async def record(
        self,
        lane_id: str,
        *,
        position: int,
        outcomes: Sequence[OutcomeRecord],
        exceptions: Sequence[ExceptionRow],
        passed_over: int = 0,
    ) -> None:
        lane = self._lanes[lane_id]
        if position < lane.position:
            raise ValueError(f"lane {lane_id}: position {position} is before {lane.position}")
        self._lanes[lane_id] = replace(lane, position=position)
        records = self._records.setdefault(lane_id, _Records())
        records.passed_over += passed_over
        records.outcomes.extend(outcomes)
        for row in exceptions:
            records.exceptions[row.place] = row

    async def pause(self, lane_id: str, *, reason: str, now: float) -> None:
        self._lanes[lane_id] = replace(self._lanes[lane_id], paused=reason, paused_at=now)

    async def resume(self, lane_id: str) -> None:
        self._lanes[lane_id] = replace(self._lanes[lane_id], paused="", paused_at=None)

    async def totals(self, lane_id: str) -> LaneTotals:
        delivered: Counter[str] = Counter()
        for record in self._of(lane_id).outcomes:
            delivered.update(record.by_name)
        exceptions = Counter((row.state, row.cause) for row in self._of(lane_id).exceptions.values())
        return LaneTotals(dict(delivered), dict(exceptions), self._of(lane_id).passed_over)

    async def exceptions(
        self, lane_id: str, *, state: State | None = None, cause: str | None = None, limit: int = 100
    ) -> list[ExceptionRow]:
        return [
            row for row in self._newest_exceptions(lane_id) if state in (None, row.state) and cause in (None, row.cause)
        ][:limit]

    async def exception_at(self, lane_id: str, place: Place) -> ExceptionRow | None:
        return self._of(lane_id).exceptions.get(place)

    async def outcome_at(self, lane_id: str, place: Place) -> OutcomeRecord | None:
        spanning = [record for record in self._of(lane_id).outcomes if record.first <= place <= record.last]
        return max(spanning, key=lambda record: record.first, default=None)

    async def find_exceptions(self, lane_id: str, text: str) -> list[ExceptionRow]:
        if not text:
            return []
        return [row for row in self._newest_exceptions(lane_id) if text in (row.message_id, row.event_id, row.order_id)]

    async def find_outcomes(self, lane_id: str, reference: bytes) -> list[OutcomeRecord]:
        if not any(reference):
            return []  # it stands where an event has no id
        return [record for record in reversed(self._of(lane_id).outcomes) if reference in _each(record.references)]

    async def close(self) -> None:
        """Nothing to close."""

    def _of(self, lane_id: str) -> _Records:
        return self._records.get(lane_id, _Records())

    def _newest_exceptions(self, lane_id: str) -> Iterable[ExceptionRow]:
        rows = self._of(lane_id).exceptions
        return [rows[place] for place in sorted(rows, reverse=True)]


def _each(references: bytes) -> list[bytes]:
    return [references[start : start + REFERENCE_BYTES] for start in range(0, len(references), REFERENCE_BYTES)]

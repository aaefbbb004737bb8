"""Lanes: positions in the log, with the records of what became of the events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from pinyon.domain.delivery import State
from pinyon.domain.lane import ExceptionRow, Lane, OutcomeRecord, Place


class LaneTotals(Struct, frozen=True):
    """Sums over a lane's records."""

    delivered: dict[str, int]  # vendor's event name -> events
    exceptions: dict[tuple[State, str], int]  # (state, cause) -> events
    passed_over: int = 0  # events of sources that the destination did not listen to when the lane read them


class Lanes(Protocol):
    """The lanes of all destinations, their outcome records and Exception rows."""

    async def open(
        self, workspace_id: str, destination_id: str, *, start: int, baseline: Mapping[str, int], now: float
    ) -> Lane:
        """The destination's lane; opened at ``start`` with ``baseline`` when there is none yet."""

    async def all(self) -> list[Lane]: ...

    async def record(
        self,
        lane_id: str,
        *,
        position: int,
        outcomes: Sequence[OutcomeRecord],
        exceptions: Sequence[ExceptionRow],
        passed_over: int = 0,
    ) -> None:
        """Move the position and keep the records, all in one transaction.

        Raises ``ValueError`` when ``position`` is before the lane's present one: a second worker must not undo
        the first.
        """

    async def pause(self, lane_id: str, *, reason: str, now: float) -> None: ...

    async def resume(self, lane_id: str) -> None: ...

    async def totals(self, lane_id: str) -> LaneTotals: ...

    async def exceptions(
        self, lane_id: str, *, state: State | None = None, cause: str | None = None, limit: int = 100
    ) -> list[ExceptionRow]:
        """The rows of the newest events, newest first: by place."""

    async def exception_at(self, lane_id: str, place: Place) -> ExceptionRow | None: ...

    async def outcome_at(self, lane_id: str, place: Place) -> OutcomeRecord | None:
        """The record of the batch that spans this place, if one does."""

    async def find_exceptions(self, lane_id: str, text: str) -> list[ExceptionRow]:
        """Rows whose message id, event id or order id is ``text``, newest first."""

    async def find_outcomes(self, lane_id: str, reference: bytes) -> list[OutcomeRecord]:
        """Records that hold this reference (see ``domain.lane.reference``), newest first."""

    async def close(self) -> None: ...

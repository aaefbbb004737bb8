"""Rows of the database and the values they stand for."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import sqlalchemy as sa

from pinyon.domain.delivery import Attempt
from pinyon.domain.lane import ExceptionRow, Lane, OutcomeRecord, Place, reference

_attempts: Final = msgspec.json.Decoder(list[Attempt])
_counts: Final = msgspec.json.Decoder(dict[str, int])


def lane_values(lane: Lane) -> dict[str, object]:
    return msgspec.structs.asdict(lane) | {"baseline": _json(lane.baseline)}


def lane(row: sa.Row[Any]) -> Lane:
    return Lane(
        id=row.id,
        workspace_id=row.workspace_id,
        destination_id=row.destination_id,
        start=row.start,
        baseline=_counts.decode(row.baseline),
        position=row.position,
        opened_at=row.opened_at,
        paused=row.paused,
        paused_at=row.paused_at,
    )


def outcome_values(lane_id: str, outcome: OutcomeRecord) -> dict[str, object]:
    return {
        "lane_id": lane_id,
        "first_seq": outcome.first.seq,
        "first_index": outcome.first.index,
        "last_seq": outcome.last.seq,
        "last_index": outcome.last.index,
        "accepted": outcome.accepted,
        "by_name": _json(outcome.by_name),
        "attempts": _json(outcome.attempts),
        "recorded_at": outcome.recorded_at,
        "reference_list": outcome.references,
    }


def outcome(row: sa.Row[Any]) -> OutcomeRecord:
    return OutcomeRecord(
        first=Place(row.first_seq, row.first_index),
        last=Place(row.last_seq, row.last_index),
        accepted=row.accepted,
        by_name=_counts.decode(row.by_name),
        references=row.reference_list,
        attempts=_attempts.decode(row.attempts),
        recorded_at=row.recorded_at,
    )


def exception_values(lane_id: str, row: ExceptionRow) -> dict[str, object]:
    return {
        "lane_id": lane_id,
        "place_seq": row.place.seq,
        "place_index": row.place.index,
        "source_id": row.source_id,
        "message_id": row.message_id,
        "state": row.state,
        "cause": row.cause,
        "detail": row.detail,
        "event_name": row.event_name,
        "event_id": row.event_id,
        "order_id": row.order_id,
        "received_at": row.received_at,
        "recorded_at": row.recorded_at,
        "attempts": _json(row.attempts),
        "message_digest": digest(row.message_id),
        "event_digest": None if row.event_id == row.message_id else digest(row.event_id),
        "order_digest": digest(row.order_id),
    }


def exception(row: sa.Row[Any]) -> ExceptionRow:
    return ExceptionRow(
        place=Place(row.place_seq, row.place_index),
        source_id=row.source_id,
        message_id=row.message_id,
        state=row.state,
        cause=row.cause,
        detail=row.detail,
        event_name=row.event_name,
        event_id=row.event_id,
        order_id=row.order_id,
        received_at=row.received_at,
        recorded_at=row.recorded_at,
        attempts=_attempts.decode(row.attempts),
    )


def digest(text: str) -> int | None:
    """A signed 64-bit number for an index; nothing for no text."""
    return int.from_bytes(reference(text), "big", signed=True) if text else None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

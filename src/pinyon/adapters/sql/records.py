"""Rows of the database and the values they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from pinyon.domain.delivery import Attempt
from pinyon.domain.lane import REFERENCE_BYTES, ExceptionRow, Lane, OutcomeRecord, Place, reference

_attempts: Final = msgspec.json.Decoder(list[Attempt])
_places: Final = msgspec.msgpack.Decoder(list[Place])
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


def exception_ids_values(lane_id: str, rows: Sequence[ExceptionRow]) -> dict[str, object]:
    ids = [reference(text) for row in rows for text in (row.message_id, row.event_id, row.order_id)]
    return {
        "lane_id": lane_id,
        "places": msgspec.msgpack.encode([row.place for row in rows]),
        "reference_list": b"".join(ids),
    }


def places_of(row: sa.Row[Any], wanted: bytes) -> list[Place]:
    """The places in a row of ``exception_ids`` whose event has this reference."""
    positions = list(holding(row.reference_list, wanted))
    if not positions:
        return []
    places = _places.decode(row.places)
    return [places[position // 3] for position in positions]


def holding(references: bytes, wanted: bytes) -> Iterator[int]:
    """The positions of this reference among them; a match across two is none."""
    start = references.find(wanted)
    while start >= 0:
        if start % REFERENCE_BYTES == 0:
            yield start // REFERENCE_BYTES
        start = references.find(wanted, start + 1)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

"""Lanes and their records in a relational database."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from pinyon.adapters.sql.database import Database
from pinyon.adapters.sql.tables import exceptions as exception_table
from pinyon.adapters.sql.tables import lanes as lane_table
from pinyon.adapters.sql.tables import outcomes as outcome_table
from pinyon.adapters.sql.tables import tallies as tally_table
from pinyon.domain.delivery import Attempt, State
from pinyon.domain.lane import REFERENCE_BYTES, ExceptionRow, Lane, OutcomeRecord, Place, reference
from pinyon.ports.lanes import Lanes, LaneTotals

_attempts: Final = msgspec.json.Decoder(list[Attempt])
_counts: Final = msgspec.json.Decoder(dict[str, int])

#: (state, cause, event name) -> events to add
Tallies = Counter[tuple[str, str, str]]


class SqlLanes(Lanes):
    """Lanes in a database that may be shared with other stores and other processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(
        self, workspace_id: str, destination_id: str, *, start: int, baseline: Mapping[str, int], now: float
    ) -> Lane:
        lane_id = f"lane_{secrets.token_hex(6)}"
        wanted = Lane(lane_id, workspace_id, destination_id, start, dict(baseline), position=start, opened_at=now)

        def find_or_insert(connection: sa.Connection) -> Lane:
            query = sa.select(lane_table).where(
                lane_table.c.workspace_id == workspace_id, lane_table.c.destination_id == destination_id
            )
            row = connection.execute(query).one_or_none()
            if row is not None:
                return _lane(row)
            values = msgspec.structs.asdict(wanted) | {"baseline": _json(wanted.baseline)}
            connection.execute(sa.insert(lane_table).values(values))
            return wanted

        return await self._database.write(find_or_insert)

    async def all(self) -> list[Lane]:
        query = sa.select(lane_table).order_by(lane_table.c.opened_at, lane_table.c.id)
        return await self._database.read(lambda connection: [_lane(row) for row in connection.execute(query)])

    async def record(
        self,
        lane_id: str,
        *,
        position: int,
        outcomes: Sequence[OutcomeRecord],
        exceptions: Sequence[ExceptionRow],
    ) -> None:
        def keep(connection: sa.Connection) -> None:
            _move(connection, lane_id, position)
            tallies: Tallies = Counter()
            if outcomes:
                connection.execute(sa.insert(outcome_table), [_outcome_values(lane_id, one) for one in outcomes])
                for outcome in outcomes:
                    tallies.update({("delivered", "", name): events for name, events in outcome.by_name.items()})
            if exceptions:
                newest = {row.place: row for row in exceptions}
                _remove_replaced(connection, lane_id, newest, tallies)
                rows = [_exception_values(lane_id, row) for row in newest.values()]
                connection.execute(sa.insert(exception_table), rows)
                tallies.update((row.state, row.cause, "") for row in newest.values())
            _add_tallies(connection, lane_id, tallies)

        await self._database.write(keep)

    async def pause(self, lane_id: str, *, reason: str, now: float) -> None:
        await self._set(lane_id, paused=reason, paused_at=now)

    async def resume(self, lane_id: str) -> None:
        await self._set(lane_id, paused="", paused_at=None)

    async def _set(self, lane_id: str, **values: object) -> None:
        def change(connection: sa.Connection) -> None:
            statement = sa.update(lane_table).where(lane_table.c.id == lane_id).values(**values)
            if connection.execute(statement).rowcount == 0:
                raise LookupError(f"there is no lane {lane_id}")

        await self._database.write(change)

    async def totals(self, lane_id: str) -> LaneTotals:
        def sums(connection: sa.Connection) -> LaneTotals:
            totals = LaneTotals({}, {})
            for row in connection.execute(sa.select(tally_table).where(tally_table.c.lane_id == lane_id)):
                if not row.events:
                    continue
                if row.state == "delivered":
                    totals.delivered[row.event_name] = row.events
                else:
                    totals.exceptions[row.state, row.cause] = row.events
            return totals

        return await self._database.read(sums)

    async def exceptions(
        self, lane_id: str, *, state: State | None = None, cause: str | None = None, limit: int = 100
    ) -> list[ExceptionRow]:
        # Newest first by the index needs both state and cause: the tallies tell which there are.
        groups = [key for key in (await self.totals(lane_id)).exceptions if state in {None, key[0]} and cause in {None, key[1]}]

        def newest(connection: sa.Connection) -> list[ExceptionRow]:
            rows = [row for group in groups for row in connection.execute(_newest(lane_id, *group, limit))]
            rows.sort(key=lambda row: row.id, reverse=True)
            return [_exception(row) for row in rows[:limit]]

        return await self._database.read(newest)

    async def exception_at(self, lane_id: str, place: Place) -> ExceptionRow | None:
        table = exception_table.c
        query = sa.select(exception_table).where(
            table.lane_id == lane_id, table.seq == place.seq, table.index == place.index
        )

        def one(connection: sa.Connection) -> ExceptionRow | None:
            row = connection.execute(query).one_or_none()
            return None if row is None else _exception(row)

        return await self._database.read(one)

    async def outcome_at(self, lane_id: str, place: Place) -> OutcomeRecord | None:
        table, here = outcome_table.c, (place.seq, place.index)
        query = (
            sa.select(outcome_table)
            .where(
                table.lane_id == lane_id,
                sa.tuple_(table.first_seq, table.first_index) <= here,
                sa.tuple_(table.last_seq, table.last_index) >= here,
            )
            .order_by(table.first_seq.desc(), table.first_index.desc())
            .limit(1)
        )

        def one(connection: sa.Connection) -> OutcomeRecord | None:
            row = connection.execute(query).one_or_none()
            return None if row is None else _outcome(row)

        return await self._database.read(one)

    async def find_exceptions(self, lane_id: str, text: str) -> list[ExceptionRow]:
        table, digest = exception_table.c, _digest(text)
        if digest is None:
            return []
        query = (
            sa.select(exception_table)
            .where(
                sa.or_(
                    sa.and_(table.message_digest == digest, table.message_id == text),
                    sa.and_(table.event_digest == digest, table.event_id == text),
                    sa.and_(table.order_digest == digest, table.order_id == text),
                ),
                table.lane_id == lane_id,
            )
            .order_by(table.id.desc())
        )
        return await self._database.read(lambda connection: [_exception(row) for row in connection.execute(query)])

    async def find_outcomes(self, lane_id: str, reference: bytes) -> list[OutcomeRecord]:
        """As the port says; reads all references of the lane, 16 bytes for each delivered event."""
        if not any(reference):
            return []  # it stands where an event has no id
        table = outcome_table.c
        query = sa.select(table.id, table.reference_list).where(table.lane_id == lane_id).order_by(table.id.desc())

        def search(connection: sa.Connection) -> list[OutcomeRecord]:
            scan = connection.execution_options(yield_per=200).execute(query)
            ids = [row.id for row in scan if _holds(row.reference_list, reference)]
            found = [connection.execute(sa.select(outcome_table).where(table.id == number)).one() for number in ids]
            return [_outcome(row) for row in found]

        return await self._database.read(search)

    async def close(self) -> None:
        """Closes the database, for all stores that share it."""
        await self._database.close()


def _move(connection: sa.Connection, lane_id: str, position: int) -> None:
    here = lane_table.c.id == lane_id
    moved = sa.update(lane_table).where(here, lane_table.c.position <= position).values(position=position)
    if connection.execute(moved).rowcount:
        return
    present = connection.execute(sa.select(lane_table.c.position).where(here)).scalar_one_or_none()
    if present is None:
        raise LookupError(f"there is no lane {lane_id}")
    raise ValueError(f"lane {lane_id}: position {position} is before {present}")


def _remove_replaced(
    connection: sa.Connection, lane_id: str, newest: Mapping[Place, ExceptionRow], tallies: Tallies
) -> None:
    """Delete the rows at these places; nearly always there are none."""
    table = exception_table.c
    query = sa.select(table.id, table.seq, table.index, table.state, table.cause).where(
        table.lane_id == lane_id,
        table.seq.between(min(newest).seq, max(newest).seq),
    )
    replaced = [row for row in connection.execute(query) if Place(row.seq, row.index) in newest]
    tallies.subtract((row.state, row.cause, "") for row in replaced)
    if replaced:
        statement = sa.delete(exception_table).where(table.id == sa.bindparam("number"))
        connection.execute(statement, [{"number": row.id} for row in replaced])


def _add_tallies(connection: sa.Connection, lane_id: str, tallies: Tallies) -> None:
    table = tally_table.c
    query = sa.select(table.state, table.cause, table.event_name).where(table.lane_id == lane_id)
    there = {tuple(row) for row in connection.execute(query)}
    new = [dict(zip(("state", "cause", "event_name"), key, strict=True)) for key in tallies if key not in there]
    if new:
        connection.execute(sa.insert(tally_table).values(lane_id=lane_id, events=0), new)
    statement = (
        sa.update(tally_table)
        .where(
            table.lane_id == lane_id,
            table.state == sa.bindparam("of_state"),
            table.cause == sa.bindparam("of_cause"),
            table.event_name == sa.bindparam("of_name"),
        )
        .values(events=table.events + sa.bindparam("more"))
    )
    changes = [
        {"of_state": state, "of_cause": cause, "of_name": name, "more": more}
        for (state, cause, name), more in tallies.items()
        if more
    ]
    if changes:
        connection.execute(statement, changes)


def _newest(lane_id: str, state: str, cause: str, limit: int) -> sa.Select[Any]:
    table = exception_table.c
    return (
        sa.select(exception_table)
        .where(table.lane_id == lane_id, table.state == state, table.cause == cause)
        .order_by(table.id.desc())
        .limit(limit)
    )


def _lane(row: sa.Row[Any]) -> Lane:
    return msgspec.convert(dict(row._mapping) | {"baseline": _counts.decode(row.baseline)}, Lane)


def _outcome_values(lane_id: str, outcome: OutcomeRecord) -> dict[str, object]:
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


def _outcome(row: sa.Row[Any]) -> OutcomeRecord:
    return OutcomeRecord(
        first=Place(row.first_seq, row.first_index),
        last=Place(row.last_seq, row.last_index),
        accepted=row.accepted,
        by_name=_counts.decode(row.by_name),
        references=row.reference_list,
        attempts=_attempts.decode(row.attempts),
        recorded_at=row.recorded_at,
    )


def _exception_values(lane_id: str, row: ExceptionRow) -> dict[str, object]:
    return {
        "lane_id": lane_id,
        "seq": row.place.seq,
        "index": row.place.index,
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
        "message_digest": _digest(row.message_id),
        "event_digest": None if row.event_id == row.message_id else _digest(row.event_id),
        "order_digest": _digest(row.order_id),
    }


def _exception(row: sa.Row[Any]) -> ExceptionRow:
    return ExceptionRow(
        place=Place(row.seq, row[3]),  # by number: ``index`` is a method of rows
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


def _holds(references: bytes, wanted: bytes) -> bool:
    """Whether it is one of them; a match across two is none."""
    start = references.find(wanted)
    while start >= 0:
        if start % REFERENCE_BYTES == 0:
            return True
        start = references.find(wanted, start + 1)
    return False


def _digest(text: str) -> int | None:
    """A signed 64-bit number for an index; nothing for no text."""
    return int.from_bytes(reference(text), "big", signed=True) if text else None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

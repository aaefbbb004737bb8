"""Lanes and their records in a relational database."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from pinyon.adapters.sql import records
from pinyon.adapters.sql.database import Database, insert_rows
from pinyon.adapters.sql.tables import exception_ids as id_table
from pinyon.adapters.sql.tables import exceptions as exception_table
from pinyon.adapters.sql.tables import lanes as lane_table
from pinyon.adapters.sql.tables import outcomes as outcome_table
from pinyon.adapters.sql.tables import tallies as tally_table
from pinyon.domain.delivery import State
from pinyon.domain.lane import ExceptionRow, Lane, OutcomeRecord, Place, reference
from pinyon.ports.lanes import Lanes, LaneTotals

#: (state, cause, event name) -> events to add
Tallies = Counter[tuple[str, str, str]]


#: A tally beside those of the states.
_PASSED_OVER: Final = "passed over"


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
                return records.lane(row)
            connection.execute(sa.insert(lane_table).values(records.lane_values(wanted)))
            return wanted

        return await self._database.write(find_or_insert)

    async def all(self) -> list[Lane]:
        query = sa.select(lane_table).order_by(lane_table.c.opened_at, lane_table.c.id)
        return await self._database.read(lambda connection: [records.lane(row) for row in connection.execute(query)])

    async def record(
        self,
        lane_id: str,
        *,
        position: int,
        outcomes: Sequence[OutcomeRecord],
        exceptions: Sequence[ExceptionRow],
        passed_over: int = 0,
    ) -> None:
        def keep(connection: sa.Connection) -> None:
            _move(connection, lane_id, position)
            tallies: Tallies = Counter({(_PASSED_OVER, "", ""): passed_over} if passed_over else {})
            if outcomes:
                connection.execute(sa.insert(outcome_table), [records.outcome_values(lane_id, one) for one in outcomes])
                for outcome in outcomes:
                    tallies.update({("delivered", "", name): events for name, events in outcome.by_name.items()})
            if exceptions:
                newest = {row.place: row for row in exceptions}
                _remove_replaced(connection, lane_id, newest, tallies)
                rows = list(newest.values())
                insert_rows(connection, exception_table, [records.exception_values(lane_id, row) for row in rows])
                connection.execute(sa.insert(id_table).values(records.exception_ids_values(lane_id, rows)))
                tallies.update((row.state, row.cause, "") for row in rows)
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
        return await self._database.read(lambda connection: _totals(connection, lane_id))

    async def exceptions(
        self, lane_id: str, *, state: State | None = None, cause: str | None = None, limit: int = 100
    ) -> list[ExceptionRow]:
        def newest(connection: sa.Connection) -> list[ExceptionRow]:
            # The index is in this order for one state and cause: the tallies tell which there are.
            groups = [
                group
                for group in _totals(connection, lane_id).exceptions
                if state in {None, group[0]} and cause in {None, group[1]}
            ]
            rows = [row for group in groups for row in connection.execute(_newest(lane_id, *group, limit))]
            found = sorted((records.exception(row) for row in rows), key=lambda row: row.place, reverse=True)
            return found[:limit]

        return await self._database.read(newest)

    async def exception_at(self, lane_id: str, place: Place) -> ExceptionRow | None:
        return await self._database.read(lambda connection: _exception_at(connection, lane_id, place))

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
            return None if row is None else records.outcome(row)

        return await self._database.read(one)

    async def find_exceptions(self, lane_id: str, text: str) -> list[ExceptionRow]:
        """As the port says; reads the references of all the lane's exceptions, 24 bytes for each."""
        if not text:
            return []
        query = sa.select(id_table).where(id_table.c.lane_id == lane_id)

        def search(connection: sa.Connection) -> list[ExceptionRow]:
            scan = connection.execute(query, execution_options={"yield_per": 200})
            places = {place for row in scan for place in records.places_of(row, reference(text))}
            found = [_exception_at(connection, lane_id, place) for place in sorted(places, reverse=True)]
            return [row for row in found if row and text in {row.message_id, row.event_id, row.order_id}]

        return await self._database.read(search)

    async def find_outcomes(self, lane_id: str, reference: bytes) -> list[OutcomeRecord]:
        """As the port says; reads all references of the lane, 16 bytes for each delivered event."""
        if not any(reference):
            return []  # it stands where an event has no id
        table = outcome_table.c
        query = sa.select(table.id, table.reference_list).where(table.lane_id == lane_id).order_by(table.id.desc())

        def search(connection: sa.Connection) -> list[OutcomeRecord]:
            scan = connection.execute(query, execution_options={"yield_per": 200})
            ids = [row.id for row in scan if any(True for _ in records.holding(row.reference_list, reference))]
            found = [connection.execute(sa.select(outcome_table).where(table.id == number)).one() for number in ids]
            return [records.outcome(row) for row in found]

        return await self._database.read(search)

    async def close(self) -> None:
        """Closes the database, for all stores that share it."""
        await self._database.close()


def _totals(connection: sa.Connection, lane_id: str) -> LaneTotals:
    delivered: dict[str, int] = {}
    exceptions: dict[tuple[State, str], int] = {}
    passed_over = 0
    for row in connection.execute(sa.select(tally_table).where(tally_table.c.lane_id == lane_id)):
        if row.state == _PASSED_OVER:
            passed_over = row.events
        elif row.events and row.state == "delivered":
            delivered[row.event_name] = row.events
        elif row.events:
            exceptions[row.state, row.cause] = row.events
    return LaneTotals(delivered, exceptions, passed_over)


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
    query = sa.select(table.place_seq, table.place_index, table.state, table.cause).where(
        table.lane_id == lane_id,
        table.place_seq.between(min(newest).seq, max(newest).seq),
    )
    replaced = [row for row in connection.execute(query) if Place(row.place_seq, row.place_index) in newest]
    tallies.subtract((row.state, row.cause, "") for row in replaced)
    if replaced:
        statement = sa.delete(exception_table).where(
            table.lane_id == lane_id,
            table.place_seq == sa.bindparam("seq"),
            table.place_index == sa.bindparam("index"),
        )
        connection.execute(statement, [{"seq": row.place_seq, "index": row.place_index} for row in replaced])


def _add_tallies(connection: sa.Connection, lane_id: str, tallies: Tallies) -> None:
    table = tally_table.c
    query = sa.select(table.state, table.cause, table.event_name).where(table.lane_id == lane_id)
    there = {tuple(row) for row in connection.execute(query)}
    new = [
        {"lane_id": lane_id, "state": state, "cause": cause, "event_name": name, "events": 0}
        for state, cause, name in tallies.keys() - there
    ]
    if new:
        connection.execute(sa.insert(tally_table), new)
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


def _exception_at(connection: sa.Connection, lane_id: str, place: Place) -> ExceptionRow | None:
    table = exception_table.c
    query = sa.select(exception_table).where(
        table.lane_id == lane_id, table.place_seq == place.seq, table.place_index == place.index
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else records.exception(row)


def _newest(lane_id: str, state: str, cause: str, limit: int) -> sa.Select[Any]:
    table = exception_table.c
    return (
        sa.select(exception_table)
        .where(table.lane_id == lane_id, table.state == state, table.cause == cause)
        .order_by(table.place_seq.desc(), table.place_index.desc())
        .limit(limit)
    )

"""What every keeper of lanes does."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import get_args

import msgspec
import pytest

from pinyon.domain.delivery import Attempt, State
from pinyon.domain.lane import REFERENCE_BYTES, ExceptionRow, Lane, OutcomeRecord, Place, reference
from pinyon.ports.lanes import Lanes, LaneTotals
from pinyon.testing.running import in_loop

#: Opens the lanes under test; each time the same ones.
OpenLanes = Callable[[], AbstractAsyncContextManager[Lanes]]

EXCEPTIONAL: tuple[State, ...] = tuple(state for state in get_args(State) if state != "delivered")


def outcome(first: Place, last: Place, *event_ids: str, order_id: str = "", name: str = "checkout") -> OutcomeRecord:
    """The record of a batch whose accepted events have these ids."""
    references = b"".join(reference(event_id) + reference(order_id) for event_id in event_ids)
    attempts = [Attempt(99.5, 503, 0.25, "unavailable"), Attempt(100.5, 200, 0.5, "answered", "req-1")]
    return OutcomeRecord(first, last, len(event_ids), {name: len(event_ids)}, references, attempts, 101.0)


def exception(
    place: Place,
    *,
    state: State = "dead",
    cause: str = "rejected",
    message_id: str = "m-1",
    event_id: str = "e-1",
    order_id: str = "",
    attempts: tuple[Attempt, ...] = (),
) -> ExceptionRow:
    return ExceptionRow(
        place, "src_shop", message_id, state, cause, "why é", "checkout", event_id, order_id, 90.0, 101.0, [*attempts]
    )


async def opened(lanes: Lanes, destination_id: str = "dst_1") -> Lane:
    return await lanes.open("ws_a", destination_id, start=0, baseline={}, now=100.0)


def places(rows: list[ExceptionRow]) -> list[Place]:
    return [row.place for row in rows]


class LanesConformance:
    """Subclass it, and give the fixture ``open_lanes``."""

    @pytest.fixture
    def open_lanes(self) -> OpenLanes:
        raise NotImplementedError

    @in_loop
    async def test_a_lane_is_opened_once(self, open_lanes: OpenLanes) -> None:
        async with open_lanes() as lanes:
            assert await lanes.all() == []
            lane = await lanes.open("ws_a", "dst_1", start=7, baseline={"src_b": 12, "src_a": 1}, now=100.0)
            assert lane.baseline == {"src_b": 12, "src_a": 1}
            assert (lane.workspace_id, lane.destination_id) == ("ws_a", "dst_1")
            assert (lane.start, lane.position, lane.opened_at) == (7, 7, 100.0)
            assert (lane.paused, lane.paused_at) == ("", None)
            assert await lanes.open("ws_a", "dst_1", start=50, baseline={}, now=200.0) == lane
            other = await lanes.open("ws_b", "dst_2", start=0, baseline={}, now=300.0)
            assert other.id != lane.id
            assert sorted(await lanes.all(), key=lambda each: each.opened_at) == [lane, other]

    @in_loop
    async def test_a_record_moves_the_position_and_is_kept(self, open_lanes: OpenLanes) -> None:
        batch = outcome(Place(8, 0), Place(9, 4), "e-8", "e-9")
        row = exception(Place(9, 1), attempts=(Attempt(100.0, 422, 0.1, "answered"),))
        async with open_lanes() as lanes:
            lane = await lanes.open("ws_a", "dst_1", start=7, baseline={}, now=100.0)
            await lanes.record(lane.id, position=9, outcomes=[batch], exceptions=[row], passed_over=3)
            assert await lanes.all() == [msgspec.structs.replace(lane, position=9)]
            assert await lanes.outcome_at(lane.id, Place(8, 0)) == batch
            assert await lanes.exception_at(lane.id, Place(9, 1)) == row
            assert await lanes.totals(lane.id) == LaneTotals({"checkout": 2}, {("dead", "rejected"): 1}, 3)

    @in_loop
    async def test_a_record_may_stay_at_the_position(self, open_lanes: OpenLanes) -> None:
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            await lanes.record(lane.id, position=5, outcomes=[], exceptions=[exception(Place(1, 0))])
            await lanes.record(lane.id, position=5, outcomes=[], exceptions=[exception(Place(6, 0))])
            assert (await lanes.all())[0].position == 5
            assert places(await lanes.exceptions(lane.id)) == [Place(6, 0), Place(1, 0)]

    @in_loop
    async def test_going_backwards_is_refused_whole(self, open_lanes: OpenLanes) -> None:
        """Position, outcomes, Exception rows and sums: all or nothing."""
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            await lanes.record(lane.id, position=5, outcomes=[], exceptions=[])
            batch = outcome(Place(4, 0), Place(4, 1), "e-1")
            with pytest.raises(ValueError, match="position"):
                await lanes.record(lane.id, position=4, outcomes=[batch], exceptions=[exception(Place(4, 2))])
            assert (await lanes.all())[0].position == 5
            assert await lanes.totals(lane.id) == LaneTotals({}, {})
            assert await lanes.exceptions(lane.id) == []
            assert await lanes.find_outcomes(lane.id, reference("e-1")) == []

    @in_loop
    async def test_an_unknown_lane_is_refused(self, open_lanes: OpenLanes) -> None:
        async with open_lanes() as lanes:
            with pytest.raises(LookupError):
                await lanes.record("lane_none", position=1, outcomes=[], exceptions=[exception(Place(1, 0))])
            with pytest.raises(LookupError):
                await lanes.pause("lane_none", reason="forbidden", now=1.0)
            with pytest.raises(LookupError):
                await lanes.resume("lane_none")
            assert await lanes.exceptions("lane_none") == []

    @in_loop
    async def test_a_lane_stands_still_and_runs_again(self, open_lanes: OpenLanes) -> None:
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            other = await opened(lanes, "dst_2")
            await lanes.pause(lane.id, reason="forbidden", now=150.0)
            [paused] = [each for each in await lanes.all() if each.id == lane.id]
            assert (paused.paused, paused.paused_at) == ("forbidden", 150.0)
            assert await opened(lanes, "dst_2") == other
            await lanes.resume(lane.id)
            assert await opened(lanes) == lane

    @in_loop
    async def test_lanes_are_apart(self, open_lanes: OpenLanes) -> None:
        async with open_lanes() as lanes:
            one = await opened(lanes)
            two = await opened(lanes, "dst_2")
            batch = outcome(Place(1, 0), Place(1, 9), "e-7")
            await lanes.record(one.id, position=3, outcomes=[batch], exceptions=[exception(Place(2, 0))])
            assert await lanes.totals(two.id) == LaneTotals({}, {})
            assert await lanes.exceptions(two.id) == []
            assert await lanes.exception_at(two.id, Place(2, 0)) is None
            assert await lanes.outcome_at(two.id, Place(1, 0)) is None
            assert await lanes.find_exceptions(two.id, "m-1") == []
            assert await lanes.find_outcomes(two.id, reference("e-7")) == []

    @in_loop
    async def test_exceptions_are_listed_newest_first(self, open_lanes: OpenLanes) -> None:
        rows = [
            exception(Place(1, 0), state="withheld", cause="consent"),
            exception(Place(1, 5), state="dead", cause="rejected"),
            exception(Place(2, 0), state="withheld", cause="too_old"),
            exception(Place(2, 1), state="dead", cause="too_old"),
            exception(Place(3, 0), state="withheld", cause="consent"),
        ]
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            await lanes.record(lane.id, position=1, outcomes=[], exceptions=rows[:2])
            await lanes.record(lane.id, position=3, outcomes=[], exceptions=rows[2:])
            assert await lanes.exceptions(lane.id) == rows[::-1]
            assert await lanes.exceptions(lane.id, limit=2) == [rows[4], rows[3]]
            assert await lanes.exceptions(lane.id, state="withheld") == [rows[4], rows[2], rows[0]]
            assert await lanes.exceptions(lane.id, cause="too_old") == [rows[3], rows[2]]
            assert await lanes.exceptions(lane.id, state="withheld", cause="too_old") == [rows[2]]
            assert await lanes.exceptions(lane.id, state="withheld", limit=1) == [rows[4]]
            assert await lanes.exceptions(lane.id, state="waiting") == []

    @in_loop
    async def test_a_later_row_of_an_event_replaces_the_earlier(self, open_lanes: OpenLanes) -> None:
        first = exception(Place(1, 3), state="waiting", cause="deferred", event_id="e-old")
        later = exception(Place(1, 3), state="dead", cause="rejected", event_id="e-new")
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            await lanes.record(lane.id, position=1, outcomes=[], exceptions=[first, exception(Place(1, 4))])
            await lanes.record(lane.id, position=2, outcomes=[], exceptions=[later])
            assert await lanes.exception_at(lane.id, Place(1, 3)) == later
            assert places(await lanes.exceptions(lane.id)) == [Place(1, 4), Place(1, 3)]
            assert await lanes.totals(lane.id) == LaneTotals({}, {("dead", "rejected"): 2})
            assert await lanes.find_exceptions(lane.id, "e-old") == []
            await lanes.record(lane.id, position=2, outcomes=[], exceptions=[first, later, first])
            assert await lanes.exception_at(lane.id, Place(1, 3)) == first
            assert (await lanes.totals(lane.id)).exceptions == {("dead", "rejected"): 1, ("waiting", "deferred"): 1}

    @in_loop
    async def test_the_batch_that_spans_a_place_is_found(self, open_lanes: OpenLanes) -> None:
        one = outcome(Place(1, 2), Place(3, 5), "e-1")
        two = outcome(Place(3, 7), Place(3, 9), "e-2")
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            await lanes.record(lane.id, position=3, outcomes=[one, two], exceptions=[])
            for place in (Place(1, 2), Place(1, 99), Place(2, 0), Place(3, 0), Place(3, 5)):
                assert await lanes.outcome_at(lane.id, place) == one
            for place in (Place(3, 7), Place(3, 8), Place(3, 9)):
                assert await lanes.outcome_at(lane.id, place) == two
            for place in (Place(1, 1), Place(3, 6), Place(3, 10), Place(4, 0)):
                assert await lanes.outcome_at(lane.id, place) is None

    @in_loop
    async def test_of_overlapping_batches_the_one_that_began_last_is_found(self, open_lanes: OpenLanes) -> None:
        wide = outcome(Place(1, 0), Place(9, 0), "e-1")
        narrow = outcome(Place(3, 0), Place(3, 1), "e-2")
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            await lanes.record(lane.id, position=9, outcomes=[narrow, wide], exceptions=[])
            assert await lanes.outcome_at(lane.id, Place(3, 1)) == narrow
            assert await lanes.outcome_at(lane.id, Place(5, 0)) == wide

    @in_loop
    async def test_exceptions_are_found_by_each_id(self, open_lanes: OpenLanes) -> None:
        rows = [
            exception(Place(1, 0), message_id="m-1", event_id="e-1", order_id="o-1"),
            exception(Place(1, 1), message_id="m-2", event_id="", order_id=""),
            exception(Place(2, 0), message_id="m-1", event_id="m-1", order_id="o-2"),
        ]
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            await lanes.record(lane.id, position=2, outcomes=[], exceptions=rows)
            assert await lanes.find_exceptions(lane.id, "m-1") == [rows[2], rows[0]]
            assert await lanes.find_exceptions(lane.id, "m-2") == [rows[1]]
            assert await lanes.find_exceptions(lane.id, "e-1") == [rows[0]]
            assert await lanes.find_exceptions(lane.id, "o-2") == [rows[2]]
            assert await lanes.find_exceptions(lane.id, "o-3") == []
            assert await lanes.find_exceptions(lane.id, "") == []

    @in_loop
    async def test_outcomes_are_found_by_reference(self, open_lanes: OpenLanes) -> None:
        one = outcome(Place(1, 0), Place(1, 3), "e-1", "e-2", order_id="o-1")
        two = outcome(Place(1, 4), Place(1, 5), "e-3", "e-1")
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            await lanes.record(lane.id, position=1, outcomes=[one, two], exceptions=[])
            assert await lanes.find_outcomes(lane.id, reference("e-1")) == [two, one]
            assert await lanes.find_outcomes(lane.id, reference("o-1")) == [one]
            assert await lanes.find_outcomes(lane.id, reference("e-9")) == []
            assert await lanes.find_outcomes(lane.id, reference("")) == []

    @in_loop
    async def test_outcomes_are_found_by_whole_references(self, open_lanes: OpenLanes) -> None:
        """Bytes that straddle two references are not a reference, even when the true one follows."""
        half = REFERENCE_BYTES // 2
        wanted = reference("e-wanted")
        straddling = OutcomeRecord(
            Place(1, 0), Place(1, 0), 1, {"lead": 1}, bytes(half) + wanted + bytes(half), [], 101.0
        )
        both = OutcomeRecord(
            Place(1, 1), Place(1, 2), 2, {"lead": 2}, straddling.references + wanted + bytes(8), [], 101.0
        )
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            await lanes.record(lane.id, position=1, outcomes=[straddling, both], exceptions=[])
            assert await lanes.find_outcomes(lane.id, wanted) == [both]

    @in_loop
    async def test_totals_equal_the_rows(self, open_lanes: OpenLanes) -> None:
        chance = random.Random(20260301)  # noqa: S311 - a fixed sequence, not a secret
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            delivered: Counter[str] = Counter()
            for seq in range(1, 30):
                names = {name: chance.randrange(1, 9) for name in ("checkout", "lead") if chance.random() < 0.6}
                delivered.update(names)
                batch = OutcomeRecord(Place(seq, 0), Place(seq, 9), sum(names.values()), names, b"", [], 1.0)
                rows = [
                    exception(
                        Place(chance.randrange(1, seq + 1), chance.randrange(6)),
                        state=chance.choice(EXCEPTIONAL),
                        cause=chance.choice(("consent", "rejected")),
                    )
                    for _ in range(chance.randrange(5))
                ]
                await lanes.record(lane.id, position=seq, outcomes=[batch], exceptions=rows)
            stored = await lanes.exceptions(lane.id, limit=10_000)
            assert len(stored) == len(set(places(stored))) > 0
            counted = Counter((row.state, row.cause) for row in stored)
            assert await lanes.totals(lane.id) == LaneTotals(dict(delivered), dict(counted))


class DurableLanesConformance(LanesConformance):
    """What lanes do that outlive their process, besides."""

    @in_loop
    async def test_all_is_there_after_reopening(self, open_lanes: OpenLanes) -> None:
        batch = outcome(Place(1, 0), Place(1, 3), "e-1", "e-2", order_id="o-1")
        row = exception(Place(1, 4))
        async with open_lanes() as lanes:
            lane = await opened(lanes)
            await lanes.record(lane.id, position=2, outcomes=[batch], exceptions=[row])
            await lanes.pause(lane.id, reason="forbidden", now=150.0)
            before = await lanes.all()
        async with open_lanes() as lanes:
            assert await lanes.all() == before
            assert await lanes.find_outcomes(lane.id, reference("o-1")) == [batch]
            assert await lanes.exceptions(lane.id) == [row]
            assert await lanes.totals(lane.id) == LaneTotals({"checkout": 2}, {("dead", "rejected"): 1})

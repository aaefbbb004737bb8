"""The account: the two sides are kept apart, so what is lost or counted twice shows."""

import asyncio

import pytest
from delivering import ACME, BLOG, NOW, PIN, SHOP, Stage, WatchedLanes, order, orders, submission
from msgspec.structs import replace

from pinyon.domain.books import Books, DestinationBooks
from pinyon.domain.chunk import Rejection
from pinyon.domain.registry import Registry, Workspace
from pinyon.flows.account import Account
from pinyon.testing.running import in_loop
from pinyon.testing.sender import accept, verdicts

BOTH = replace(PIN, source_ids=(SHOP.id, BLOG.id))


async def all_books(stage, registry=None):
    return await Account(stage.log, stage.lanes).books(registry or stage.registry)


@in_loop
async def test_every_state_is_in_the_sum():
    stage = Stage(verdicts(["processed", "failed"], status=422))
    await stage.lane()
    await stage.collect(*orders(2), order("e-0"), order("u", name="Other"), order("n", context={}))
    await stage.deliver()
    await stage.collect(*orders(3, start=10))
    books = await stage.books()
    assert books == DestinationBooks(
        destination_id=PIN.id,
        destination="pin",
        received=8,
        delivered=1,
        duplicates=1,
        withheld={"identity_insufficient": 1, "unmapped": 1},
        dead={"refused_by_pinterest": 1},
        waiting=3,
        delivered_by_name={"checkout": 1},
    )


@in_loop
async def test_what_came_before_the_destination_is_not_its_concern():
    stage = Stage()
    await stage.collect(*orders(5))
    await stage.lane()
    await stage.collect(order("new"))
    assert (await stage.books()).received == 1
    await stage.deliver()
    books = await stage.books()
    assert (books.received, books.delivered) == (1, 1)


@in_loop
async def test_events_of_other_sources_are_in_no_sum():
    stage = Stage(sources=(SHOP, BLOG))
    await stage.lane()
    await stage.collect(*orders(2))
    await stage.collect(*orders(7), source=BLOG)
    assert (await stage.books()).waiting == 2
    await stage.deliver()
    assert (await stage.books()).received == 2
    [books] = await all_books(stage)
    assert (books.received, books.invalid) == (9, 0)


@in_loop
async def test_refused_members_are_received_by_the_workspace_and_by_no_destination():
    stage = Stage()
    await stage.lane()
    refused = [Rejection(SHOP.id, NOW, None, "type_missing", "", b"{}")] * 3
    await stage.log.append(ACME.id, submission(orders(2)), refused)
    await stage.deliver()
    [books] = await all_books(stage)
    assert (books.received, books.invalid, books.destinations[0].received) == (5, 3, 2)
    assert books.balanced


@in_loop
async def test_workspaces_and_destinations_without_a_lane():
    stage = Stage()
    other = Workspace("ws_other", "other")
    await stage.log.append(other.id, submission(orders(4)))
    registry = Registry(1, (ACME, other), (SHOP,), (PIN, replace(PIN, id="dst_new", name="new")))
    await stage.lane()
    acme, elsewhere = await all_books(stage, registry)
    assert [books.destination for books in acme.destinations] == ["pin"]
    assert elsewhere == Books("other", received=4, invalid=0, destinations=[])


@in_loop
async def test_the_sums_stay_when_chunks_are_deleted():
    stage = Stage()
    await stage.lane()
    await stage.collect(*orders(3))
    await stage.deliver()
    await stage.collect(order("e-0"), order("new"))
    await stage.log.forget(ACME.id, through=1, received_before=NOW + 1)
    await stage.deliver()
    books = await stage.books()
    assert (books.received, books.delivered, books.duplicates) == (5, 4, 1)


@in_loop
async def test_the_books_balance_at_every_moment_of_the_work():
    stage = Stage()
    await stage.lane()
    seen = []

    async def look(request):
        seen.append(await stage.books())
        return accept(request)

    stage.sender.otherwise = look
    for number in range(10):
        await stage.collect(*orders(300, number * 300))
    await stage.deliver()
    assert len(seen) >= 4
    assert {books.received for books in seen} == {3_000}


@in_loop
async def test_events_that_come_in_while_the_books_are_read_are_in_both_sides_or_in_none():
    stage = Stage()
    await stage.lane()

    async def keep_collecting():
        for number in range(200):
            await stage.collect(order(f"e-{number}"))
            await asyncio.sleep(0)

    async with stage.worker() as running:
        collecting = asyncio.create_task(keep_collecting())
        looks = 0
        while not collecting.done():
            await stage.books()
            await asyncio.sleep(0)
            looks += 1
        await stage.until(lambda lane: lane.position == 200, running)
    assert looks > 10
    assert (await stage.books()).delivered == 200


class Losing(WatchedLanes):
    """Loses one thing of the first record."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    async def record(self, lane_id, *, position, outcomes, exceptions, passed_over=0):
        match self.what:
            case "row":
                exceptions = exceptions[1:]
            case "outcome":
                outcomes = outcomes[1:]
            case "both":
                outcomes, exceptions = [], []
        self.what = "nothing"
        await super().record(
            lane_id, position=position, outcomes=outcomes, exceptions=exceptions, passed_over=passed_over
        )


@pytest.mark.parametrize(("what", "lost"), [("nothing", 0), ("row", 1), ("outcome", 4), ("both", 5)])
@in_loop
async def test_a_lost_record_makes_a_difference(what, lost):
    stage = Stage(verdicts(["processed", "processed", "failed", "processed", "processed"], status=422))
    stage.lanes = Losing(what)
    stage.tools = replace(stage.tools, lanes=stage.lanes)
    await stage.lane()
    await stage.collect(*orders(5))
    await stage.deliver()
    [books] = await all_books(stage)
    [found] = books.destinations
    assert found.difference == lost
    assert books.balanced == (lost == 0)


@in_loop
async def test_events_that_are_skipped_make_a_difference():
    stage = Stage()
    lane = await stage.lane()
    await stage.collect(*orders(3))
    await stage.lanes.record(lane.id, position=1, outcomes=[], exceptions=[])
    [books] = await all_books(stage)
    assert books.destinations[0].difference == 3


@in_loop
async def test_an_outcome_that_is_recorded_twice_makes_a_difference():
    stage = Stage()
    lane = await stage.lane()
    await stage.collect(*orders(3))
    await stage.deliver()
    [(position, outcomes, _)] = stage.lanes.recorded
    await stage.lanes.record(lane.id, position=position, outcomes=outcomes, exceptions=[])
    [books] = await all_books(stage)
    assert books.destinations[0].difference == -3


@pytest.mark.parametrize(("before", "after"), [(PIN, BOTH), (BOTH, PIN)], ids=["attached later", "detached"])
@in_loop
async def test_sources_that_change_leave_the_books_balanced(before, after):
    stage = Stage(sources=(SHOP, BLOG), destination=before)
    await stage.lane()
    for round_ in range(2):
        await stage.collect(*orders(2, round_ * 10))
        await stage.collect(*orders(5, round_ * 10), source=BLOG)
        await stage.deliver()
        stage.destination = after
        stage.registry = replace(stage.registry, destinations=(after,))
    await stage.books()

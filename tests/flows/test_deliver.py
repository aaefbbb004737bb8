"""Delivery: every event is accepted or has its row, whatever Pinterest answers and wherever it is interrupted."""

import asyncio
import json
import math

import pytest
from delivering import NOW, PACE, SHOP, Stage, order, orders
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pinyon.domain.lane import Place
from pinyon.flows.gate import Pace
from pinyon.testing.running import in_loop
from pinyon.testing.sender import accept, failure, refusing, reply, verdicts


def ids(count, start=0):
    return [f"e-{number}" for number in range(start, start + count)]


@in_loop
async def test_accepted_events_leave_one_record_and_no_rows():
    stage = Stage()
    await stage.lane()
    await stage.collect(*orders(3, order_id="o-1"))
    await stage.deliver()
    books = await stage.books()
    assert (books.received, books.delivered, books.waiting) == (3, 3, 0)
    assert books.delivered_by_name == {"checkout": 3}
    assert stage.sender.batches == [ids(3)]
    [(position, [record], [])] = stage.lanes.recorded
    assert (position, record.first, record.last, record.accepted) == (1, Place(1, 0), Place(1, 2), 3)
    [attempt] = record.attempts
    assert (attempt.at, attempt.status, attempt.result) == (NOW, 200, "answered")


@in_loop
async def test_batches_are_cut_at_a_thousand_events():
    stage = Stage()
    await stage.lane()
    await stage.collect(*orders(2_500))
    await stage.deliver()
    assert [len(batch) for batch in stage.sender.batches] == [1_000, 1_000, 500]
    assert [id_ for batch in stage.sender.batches for id_ in batch] == ids(2_500)
    assert (await stage.books()).delivered == 2_500


@in_loop
async def test_batches_are_cut_at_two_megabytes():
    stage = Stage()
    await stage.lane()
    await stage.collect(*orders(300, query="x" * 20_000))
    await stage.deliver()
    assert len(stage.sender.sizes) == 4
    assert max(stage.sender.sizes) <= 2_000_100
    assert [id_ for batch in stage.sender.batches for id_ in batch] == ids(300)


@in_loop
async def test_small_chunks_are_sent_together_and_the_position_is_at_the_end_of_one():
    stage = Stage()
    await stage.lane()
    for start in range(0, 1_600, 400):
        await stage.collect(*orders(400, start))
    await stage.deliver()
    assert [len(batch) for batch in stage.sender.batches] == [800, 800]
    assert [position for position, _, _ in stage.lanes.recorded] == [2, 4]


@in_loop
async def test_failed_events_of_a_422_are_dead_and_the_others_delivered():
    stage = Stage(verdicts(["processed", "failed", "processed"], status=422))
    await stage.lane()
    await stage.collect(*orders(3))
    await stage.deliver()
    books = await stage.books()
    assert (books.delivered, books.dead) == (2, {"refused_by_pinterest": 1})
    [row] = await stage.rows()
    assert (row.place, row.message_id, row.event_id, row.state) == (Place(1, 1), "e-1", "e-1", "dead")
    assert (row.detail, row.event_name, row.source_id, row.received_at) == ("Event refused.", "checkout", SHOP.id, NOW)
    assert [attempt.status for attempt in row.attempts] == [422]
    assert stage.sender.batches == [ids(3)]


BAD = st.sets(st.integers(0, 39), max_size=3)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), BAD)
@in_loop
async def test_a_refused_batch_is_halved_down_to_the_events_that_sank_it(count, bad):
    bad = {f"e-{number}" for number in bad if number < count}
    stage = Stage(otherwise=refusing(lambda event: event["event_id"] in bad))
    await stage.lane()
    await stage.collect(*orders(count))
    await stage.deliver()
    books = await stage.books()
    assert books.delivered == count - len(bad)
    assert {row.event_id for row in await stage.rows()} == bad
    assert all((row.state, row.cause) == ("dead", "invalid") for row in await stage.rows())
    assert len(stage.sender.batches) <= 1 + 2 * len(bad) * math.ceil(math.log2(count) if count > 1 else 1)


TROUBLES = {
    "429": reply(429, {"code": 8, "message": "Slow down."}),
    "503": reply(503, {"code": 4197, "message": "Ramped down."}),
    "500": reply(500),
    "timeout": failure("timeout"),
    "connection": failure("connection_failed"),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
@in_loop
async def test_trouble_of_the_whole_request_is_waited_out_in_place(trouble):
    stage = Stage(trouble, trouble, trouble)
    await stage.lane()
    await stage.collect(*orders(2))
    await stage.deliver()
    assert stage.sender.batches == [ids(2)] * 4
    [(_, [record], [])] = stage.lanes.recorded
    assert [attempt.status for attempt in record.attempts] == [trouble.status] * 3 + [200]
    assert len(stage.clock.sleeps) == 3
    assert (await stage.books()).delivered == 2


@in_loop
async def test_while_the_vendor_is_away_nothing_is_recorded_and_all_of_it_waits():
    asked, hold = asyncio.Event(), asyncio.Event()

    async def late(request):
        asked.set()
        await hold.wait()
        return accept(request)

    stage = Stage(failure("timeout"), late)
    await stage.lane()
    await stage.collect(*orders(5))
    async with stage.worker() as running:
        await asked.wait()
        books = await stage.books()
        assert (books.waiting, books.delivered, stage.lanes.recorded) == (5, 0, [])
        hold.set()
        await stage.until(lambda lane: lane.position == 1, running)
    assert (await stage.books()).delivered == 5


@pytest.mark.parametrize(
    "unreadable", [verdicts(["processed"]), verdicts(["processed"] * 3), reply(200), reply(200, {"events": "x"})]
)
@in_loop
async def test_an_answer_of_the_wrong_length_is_asked_for_again_with_the_same_ids(unreadable):
    stage = Stage(unreadable, unreadable)
    await stage.lane()
    await stage.collect(*orders(2))
    await stage.deliver()
    assert stage.sender.batches == [ids(2)] * 3
    assert stage.sender.sent[0] == stage.sender.sent[1] == stage.sender.sent[2]
    assert (await stage.books()).delivered == 2


@in_loop
async def test_only_the_events_without_a_verdict_are_sent_again():
    stage = Stage(verdicts(["processed", "pending", "failed", "pending"]), verdicts(["failed", "processed"]))
    await stage.lane()
    await stage.collect(*orders(4))
    await stage.deliver()
    assert stage.sender.batches == [ids(4), ["e-1", "e-3"]]
    books = await stage.books()
    assert (books.delivered, books.dead) == (2, {"refused_by_pinterest": 2})
    assert {row.event_id: len(row.attempts) for row in await stage.rows()} == {"e-1": 2, "e-2": 1}


@in_loop
async def test_units_are_recorded_in_the_order_of_the_log_whichever_is_answered_first():
    hold = asyncio.Event()

    async def late(request):
        await hold.wait()
        return accept(request)

    def then_release(request):
        hold.set()
        return accept(request)

    stage = Stage(late, accept, then_release)
    await stage.lane()
    for start in range(0, 3_000, 1_000):
        await stage.collect(*orders(1_000, start))
    await stage.deliver()
    assert [position for position, _, _ in stage.lanes.recorded] == [1, 2, 3]
    assert [record.first for _, [record], _ in stage.lanes.recorded] == [Place(1, 0), Place(2, 0), Place(3, 0)]
    assert (await stage.books()).delivered == 3_000


@pytest.mark.parametrize("most", [1, 3])
@in_loop
async def test_no_more_batches_are_under_way_than_allowed(most):
    hold, under_way, highest = asyncio.Event(), set(), []

    async def slow(request):
        under_way.add(id(request))
        highest.append(len(under_way))
        if len(under_way) == most:
            for _ in range(50):  # so that one more would have its chance
                await asyncio.sleep(0)
            hold.set()
        await hold.wait()
        under_way.discard(id(request))
        return accept(request)

    stage = Stage(otherwise=slow, pace=replace(PACE, batches_in_flight=most))
    await stage.lane()
    for start in range(0, 8_000, 1_000):
        await stage.collect(*orders(1_000, start))
    await stage.deliver()
    assert max(highest) == most
    assert (await stage.books()).delivered == 8_000


@in_loop
async def test_stopped_in_the_middle_it_begins_there_again():
    """The second unit gets no answer: the position stays before it, and the next worker sends it with the same ids."""
    stuck = asyncio.Event()

    async def never(_):
        stuck.set()
        await asyncio.Event().wait()

    stage = Stage(accept, never, pace=replace(PACE, drain_timeout=0.0, batches_in_flight=1))
    await stage.lane()
    await stage.collect(*orders(1_000))
    await stage.collect(*orders(10, 1_000))
    async with stage.worker():
        await stuck.wait()
    assert (await stage.lane()).position == 1
    assert (await stage.books()).waiting == 10
    await stage.deliver()
    assert stage.sender.batches[1:] == [ids(10, 1_000)] * 2
    books = await stage.books()
    assert (books.delivered, books.duplicates) == (1_010, 0)


@in_loop
async def test_stopping_waits_for_what_is_under_way():
    sent = asyncio.Event()

    async def slow(request):
        sent.set()
        for _ in range(20):
            await asyncio.sleep(0)
        return accept(request)

    stage = Stage(slow)
    await stage.lane()
    await stage.collect(*orders(3))
    async with stage.worker():
        await sent.wait()
    assert (await stage.lane()).position == 1
    assert (await stage.books()).delivered == 3


@in_loop
async def test_duplicates_withheld_and_undecodable_events_have_their_rows():
    stage = Stage()
    await stage.lane()
    nobody = order("nobody", context={})
    unmapped = order("unmapped", name="Coupon Denied")
    broken = replace(order("broken"), body=b"not json")
    await stage.collect(order("e-0"), nobody, unmapped, broken, order("e-0"))
    await stage.collect(order("e-0"), order("e-1"))
    await stage.deliver()
    books = await stage.books()
    assert (books.received, books.delivered, books.duplicates) == (7, 2, 2)
    assert books.withheld == {"identity_insufficient": 1, "unmapped": 1}
    assert books.dead == {"undecodable": 1}
    places = {row.place: row.cause for row in await stage.rows()}
    assert places[Place(1, 4)] == places[Place(2, 0)] == "message_id_seen"
    assert [id_ for batch in stage.sender.batches for id_ in batch] == ["e-0", "e-1"]


@in_loop
async def test_a_unit_without_anything_to_send_moves_the_position():
    stage = Stage()
    await stage.lane()
    await stage.collect(order("unmapped", name="Coupon Denied"))
    await stage.deliver()
    assert stage.sender.batches == []
    assert (await stage.lane()).position == 1


@in_loop
async def test_a_young_chunk_waits_for_others_but_not_beyond_the_flush_interval():
    stage = Stage(pace=Pace(flush_interval=30.0))
    await stage.lane()
    await stage.collect(order("e-0"))
    async with stage.worker() as running:
        for _ in range(20):
            await asyncio.sleep(0)
        assert stage.sender.batches == []
        stage.clock.advance(29.0)
        await stage.collect(order("e-1"))
        stage.clock.advance(1.0)
        await stage.until(lambda lane: lane.position == 2, running)
    assert stage.sender.batches == [["e-0", "e-1"]]


@in_loop
async def test_a_full_batch_does_not_wait():
    stage = Stage(pace=Pace(flush_interval=1_000_000.0))
    await stage.lane()
    await stage.collect(*orders(600))
    await stage.collect(*orders(600, 600))
    async with stage.worker() as running:
        await stage.until(lambda lane: lane.position == 1, running)
    assert stage.sender.batches == [ids(600)]


def said(answer):
    """The statuses of an answer's events."""
    body = json.loads(answer.body or b"{}")
    return [event["status"] for event in body.get("details", body).get("events", [])]


def first(status, code):
    """An answer that gives the first event this status, and all others "processed"."""
    return lambda request: verdicts([status, *["processed"] * (request.events - 1)], code)


TOTAL = [accept, reply(429), reply(503), failure("timeout"), reply(401), reply(404), reply(400), reply(200)]
ANSWERS = st.sampled_from([*TOTAL, first("failed", 422), first("failed", 200), first("pending", 200)])
CHUNKS = st.lists(
    st.lists(st.sampled_from(["order", "nobody", "unmapped", "twin"]), min_size=1, max_size=6), max_size=6
)


@settings(max_examples=60, deadline=None)
@given(CHUNKS, st.lists(ANSWERS, max_size=12), st.sampled_from([1, 4]))
@in_loop
async def test_whatever_happens_the_books_balance_and_nothing_is_sent_after_it_was_accepted(chunks, script, in_flight):
    stage = Stage(*script, pace=replace(PACE, batches_in_flight=in_flight))
    await stage.lane()
    good = set()
    for number, chunk in enumerate(chunks):
        events = []
        for index, what in enumerate(chunk):
            id_ = "twin" if what == "twin" else f"{what}-{number}-{index}"
            good |= {id_} if what in ("order", "twin") else set()
            events.append(
                order(
                    id_,
                    "Coupon Denied" if what == "unmapped" else "Order Completed",
                    {} if what == "nobody" else {"ip": "203.0.113.9", "userAgent": "Mozilla/5.0"},
                )
            )
        await stage.collect(*events)
    await stage.deliver()
    books = await stage.books()
    dead = {row.event_id for row in await stage.rows() if row.state == "dead"}
    assert books.waiting == 0
    assert books.delivered == len(good - dead)
    judged = set()
    for sent, answer in zip(stage.sender.batches, stage.sender.replies, strict=True):
        assert judged.isdisjoint(sent)
        judged |= {id_ for id_, status in zip(sent, said(answer), strict=False) if status in ("processed", "failed")}
    assert good - dead <= judged <= good

"""Routing whole chunks: each event of each attached source once, at its own place."""

import json

from delivering import BLOG, KINDS, NOW, PIN, SHOP, order, submission
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pinyon.domain.chunk import Chunk, ChunkHeader, event_key
from pinyon.domain.lane import Place
from pinyon.testing.oracle import check_payloads

ROUTER = KINDS.router(PIN, (SHOP,))


def chunk(seq, *submissions):
    keys = b"".join(each.keys() for each in submissions)
    header = ChunkHeader(seq, "ws_acme", NOW, NOW, {}, keys)
    return Chunk(header, list(submissions))


def route(*chunks, duplicates=None):
    return ROUTER.route(chunks, duplicates or [frozenset()] * len(chunks), NOW)


def test_each_event_is_at_its_place_with_its_key():
    unit = route(
        chunk(7, submission([order("a"), order("b")]), submission([order("c", order_id="o-1")])),
        chunk(9, submission([order("d")])),
    )
    assert unit.through == 9
    assert [(each.message_id, each.place) for each in unit.routed] == [
        ("a", Place(7, 0)),
        ("b", Place(7, 1)),
        ("c", Place(7, 2)),
        ("d", Place(9, 0)),
    ]
    assert [each.key for each in unit.routed] == [event_key(SHOP.id, id_) for id_ in "abcd"]
    assert [each.ready.order_id for each in unit.routed] == ["", "", "o-1", ""]
    assert unit.exceptions == []
    check_payloads([json.loads(each.ready.payload) for each in unit.routed])


def test_events_of_other_sources_are_passed_over():
    unit = route(chunk(1, submission([order("x"), order("y")], source=BLOG), submission([order("a")])))
    assert [(each.message_id, each.place) for each in unit.routed] == [("a", Place(1, 2))]
    assert unit.routed[0].key == event_key(SHOP.id, "a")
    assert unit.exceptions == []


def test_duplicates_have_a_row_and_are_not_read_any_further():
    broken = replace(order("broken"), body=b"not json")
    unit = route(chunk(1, submission([order("a"), broken, order("b")])), duplicates=[frozenset({1, 2})])
    assert [each.message_id for each in unit.routed] == ["a"]
    assert [(row.place, row.state, row.cause) for row in unit.exceptions] == [
        (Place(1, 1), "duplicate", "message_id_seen"),
        (Place(1, 2), "duplicate", "message_id_seen"),
    ]


def test_a_row_says_what_a_person_needs_and_nothing_of_the_person():
    who = {"ip": "203.0.113.9", "traits": {"phone": "+15551234567"}}
    unit = route(chunk(3, submission([order("a", context=who)], at=NOW - 5)))
    [row] = unit.exceptions
    assert (row.source_id, row.message_id, row.event_id) == (SHOP.id, "a", "a")
    assert (row.state, row.cause, row.event_name) == ("withheld", "identity_insufficient", "checkout")
    assert (row.received_at, row.recorded_at, row.attempts) == (NOW - 5, NOW, [])
    assert "203.0.113.9" not in row.detail
    assert "1234567" not in row.detail


def test_the_row_of_an_unmapped_event_names_its_type():
    unit = route(chunk(1, submission([order("a", name="Coupon Denied")])))
    [row] = unit.exceptions
    assert (row.cause, row.event_name) == ("unmapped", "track")
    assert "Coupon Denied" in row.detail


def test_consent_is_that_of_the_source():
    careful = replace(PIN, consent_categories=("Advertising",), source_ids=(SHOP.id, BLOG.id))
    denied = replace(BLOG, consent_default="denied")
    router = KINDS.router(careful, (SHOP, denied))
    unit = router.route(
        [chunk(1, submission([order("a")]), submission([order("b")], source=denied))], [frozenset()], NOW
    )
    assert [each.message_id for each in unit.routed] == ["a"]
    assert [(row.message_id, row.cause) for row in unit.exceptions] == [("b", "consent")]


KINDS_OF_EVENTS = st.sampled_from(["order", "nobody", "unmapped", "broken"])
SUBMISSIONS = st.tuples(st.sampled_from([SHOP, BLOG]), st.lists(KINDS_OF_EVENTS, min_size=1, max_size=4))


@given(st.lists(st.lists(SUBMISSIONS, min_size=1, max_size=3), min_size=1, max_size=4), st.data())
def test_every_event_of_an_attached_source_is_routed_or_has_its_row(shapes, data):
    chunks, listened, duplicates = [], [], []
    for seq, shape in enumerate(shapes, start=1):
        submissions, index = [], 0
        for source, kinds in shape:
            events = []
            for kind in kinds:
                event = order(f"{seq}-{index}", "X" if kind == "unmapped" else "Order Completed")
                event = order(f"{seq}-{index}", context={}) if kind == "nobody" else event
                events.append(replace(event, body=b"{") if kind == "broken" else event)
                listened += [Place(seq, index)] if source is SHOP else []
                index += 1
            submissions.append(submission(events, source=source))
        chunks.append(chunk(seq, *submissions))
        duplicates.append(data.draw(st.frozensets(st.integers(0, index - 1), max_size=2)))
    unit = route(*chunks, duplicates=duplicates)
    found = [each.place for each in unit.routed] + [row.place for row in unit.exceptions]
    assert sorted(found) == listened
    assert [each.place for each in unit.routed] == sorted(each.place for each in unit.routed)
    for row in unit.exceptions:
        assert (row.state == "duplicate") == (row.place.index in duplicates[row.place.seq - 1])

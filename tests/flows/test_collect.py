"""Collecting: what is an event, what is stored of it, and what becomes of its neighbours."""

import json
import math
from itertools import product
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinyon.adapters.memory import MemoryEventLog
from pinyon.domain.errors import RequestRefused, Unavailable
from pinyon.domain.event import read_event
from pinyon.domain.registry import Source
from pinyon.flows.collect import Collect, Limits, Peer, Receipt, open_batch, open_event
from pinyon.flows.collect.faults import MEMBER_FAULTS, REQUEST_FAULTS
from pinyon.flows.collect.repair import DEPTH_KEPT
from pinyon.testing.running import in_loop

NOW = 1_790_000_000.5
WORKSPACE = "ws_acme"
SHOP = Source("src_shop", WORKSPACE, "shop", "web", ("wk_shop",))
CLOSED = Source("src_closed", WORKSPACE, "closed", "web", ("wk_closed",), enabled=False)
PEER = Peer("203.0.113.9", "Mozilla/5.0")
LIMITS = Limits(max_event_bytes=32 * 1024, max_batch_events=100)

CODES = {fault.code for fault in (*MEMBER_FAULTS, *REQUEST_FAULTS)}
GOOD = {"type": "track", "event": "Order Completed", "messageId": "m-1", "userId": "u-1"}


class Sources(dict):
    def by_write_key(self, key):
        return self.get(key)


SOURCES = Sources({key: source for source in (SHOP, CLOSED) for key in source.write_keys})


def collector(limits=LIMITS):
    log = MemoryEventLog()
    return Collect(log, SimpleNamespace(now=lambda: NOW), SOURCES, limits), log


async def stored(log):
    """Submissions and rejections, oldest first."""
    chunks = await log.read(WORKSPACE, after=0, through=await log.head())
    return [submission for chunk in chunks for submission in chunk.submissions], (await log.rejections(WORKSPACE))[::-1]


def good(message_id="m-1", **members):
    return GOOD | {"messageId": message_id} | members


def without(*names, **members):
    return {name: value for name, value in (GOOD | members).items() if name not in names}


def batch(*members, **envelope):
    return json.dumps({"batch": members, **envelope}).encode()


def raw_batch(*members):
    return b'{"batch":[' + b",".join(members) + b"]}"


def refused(body, opener=open_batch):
    with pytest.raises(RequestRefused) as caught:
        opener(body)
    return caught.value


# One event


FAULTY = [
    ("not_an_object", 7),
    ("not_an_object", None),
    ("not_an_object", "track"),
    ("not_an_object", [GOOD]),
    ("type_missing", without("type")),
    ("type_missing", good(type=None)),
    ("type_missing", good(type="")),
    ("type_unknown", good(type="trakc")),
    ("type_unknown", good(type="Track")),
    ("type_unknown", good(type=3)),
    ("type_unknown", good(type={"a": 1})),
    ("event_name_missing", without("event")),
    ("event_name_missing", good(event="")),
    ("event_name_missing", good(event=" \t")),
    ("event_name_missing", good(event=12)),
    ("ids_missing", without("userId")),
    ("ids_missing", good(userId="")),
    ("ids_missing", good(userId="", anonymousId="")),
    ("ids_missing", good(userId=True)),
    ("ids_missing", good(userId={"id": 1})),
    ("group_id_missing", good(type="group")),
    ("group_id_missing", good(type="group", groupId="")),
    ("previous_id_missing", good(type="alias")),
    ("previous_id_missing", good(type="alias", previousId=[])),
    ("message_id_invalid", good(messageId=True)),
    ("message_id_invalid", good(messageId=["m"])),
    ("message_id_invalid", good(messageId="m" * 257)),
    ("message_id_invalid", good(messageId="m\0")),
    ("event_too_large", good(properties={"text": "x" * 32 * 1024})),
]


@pytest.mark.parametrize(("code", "member"), FAULTY)
@in_loop
async def test_a_faulty_member_is_recorded_with_its_reason(code, member):
    collect, log = collector()
    receipt = await collect.submit(SHOP, open_batch(batch(good("m-0"), member, good("m-2"))), PEER)
    submissions, rejections = await stored(log)
    assert [event.message_id for event in submissions[0].events] == ["m-0", "m-2"]
    assert [rejection.code for rejection in rejections] == [code]
    assert rejections[0].detail.endswith(".")
    assert receipt.refusal() is None


@pytest.mark.parametrize(
    "member",
    [
        without("userId", anonymousId="a-1"),
        good(userId=42),
        good(userId=0),
        good(userId=1.5),
        good(messageId="m" * 256),
        good(type="page", event=None),
        good(type="screen", event=None),
        good(type="identify", event=None),
        good(type="group", groupId=7),
        good(type="alias", previousId="a-1"),
        good(properties="not an object"),
        good(timestamp="never"),
        good(unknown=[1, 2, 3]),
    ],
)
@in_loop
async def test_a_good_member_is_stored_as_it_was_sent(member):
    collect, log = collector()
    body = json.dumps(member).encode()
    await collect.submit(SHOP, open_batch(raw_batch(body)), PEER)
    submissions, rejections = await stored(log)
    event = submissions[0].events[0]
    assert (event.type, event.message_id, event.body) == (member["type"], member["messageId"], body)
    assert rejections == []


@in_loop
async def test_an_event_of_exactly_the_limit_is_taken():
    body = json.dumps(GOOD).encode()
    for limit, accepted in ((len(body), 1), (len(body) - 1, 0)):
        collect, log = collector(Limits(limit, 1))
        await collect.submit(SHOP, open_batch(raw_batch(body)), PEER)
        assert await log.head() == accepted


@in_loop
async def test_an_event_without_an_id_gets_one_of_its_own():
    collect, log = collector()
    await collect.submit(SHOP, open_batch(batch(*[without("messageId"), good(None), good("")] * 20)), PEER)
    submissions, _ = await stored(log)
    assert len({event.message_id for event in submissions[0].events}) == 60
    assert all(len(event.message_id) == 32 for event in submissions[0].events)


@in_loop
async def test_a_number_is_taken_for_an_id():
    collect, log = collector()
    await collect.submit(SHOP, open_batch(batch(good(12345))), PEER)
    submissions, _ = await stored(log)
    assert submissions[0].events[0].message_id == "12345"


@in_loop
async def test_a_rejection_keeps_the_id_and_the_start_of_the_body():
    collect, log = collector()
    large = good("m-large", properties={"text": "x" * 40_000})
    await collect.submit(SHOP, open_batch(batch(large, good("m-trakc", type="trakc"), 7)), PEER)
    _, rejections = await stored(log)
    assert [rejection.message_id for rejection in rejections] == ["m-large", "m-trakc", None]
    assert rejections[0].body == json.dumps(large).encode()[:2048]
    assert rejections[2].body == b"7"
    assert {rejection.source_id for rejection in rejections} == {"src_shop"}
    assert {rejection.received_at for rejection in rejections} == {NOW}


# A request


@in_loop
async def test_the_request_is_stamped():
    collect, log = collector()
    await collect.submit(SHOP, open_batch(batch(GOOD, sentAt="2026-11-23T02:30:00.300Z", writeKey="wk_shop")), PEER)
    submission = (await stored(log))[0][0]
    assert (submission.source_id, submission.dialect) == ("src_shop", "segment")
    assert (submission.received_at, submission.sent_at) == (NOW, 1795401000.3)
    assert (submission.ip, submission.user_agent) == ("203.0.113.9", "Mozilla/5.0")


@pytest.mark.parametrize("sent_at", [None, "yesterday", 12, [], {"a": 1}])
def test_a_time_of_sending_that_is_none_is_left_out(sent_at):
    assert open_batch(batch(GOOD, sentAt=sent_at)).sent_at is None
    assert open_event(json.dumps(good(sentAt=sent_at)).encode(), "track").sent_at is None


@in_loop
async def test_a_batch_of_bad_members_only_is_refused_and_recorded():
    collect, log = collector()
    receipt = await collect.submit(SHOP, open_batch(batch(7, good(type="trakc"), 8)), PEER)
    submissions, rejections = await stored(log)
    refusal = receipt.refusal()
    assert (refusal.code, refusal.status) == ("no_valid_events", 400)
    assert "2 not_an_object, 1 type_unknown" in refusal.message
    assert submissions == []
    assert len(rejections) == 3


@in_loop
async def test_an_empty_batch_is_fine_and_leaves_nothing():
    collect, log = collector()
    assert (await collect.submit(SHOP, open_batch(b'{"batch":[]}'), PEER)).refusal() is None
    assert await log.totals(WORKSPACE) == {}


@in_loop
async def test_too_many_events_are_refused_as_a_whole():
    collect, log = collector(Limits(32 * 1024, 2))
    with pytest.raises(RequestRefused) as caught:
        await collect.submit(SHOP, open_batch(batch(GOOD, GOOD, GOOD)), PEER)
    assert (caught.value.code, caught.value.status) == ("too_many_events", 413)
    assert await log.totals(WORKSPACE) == {}


@in_loop
async def test_a_log_that_refuses_is_heard():
    collect, log = collector()
    await log.close()
    with pytest.raises(Unavailable):
        await collect.submit(SHOP, open_batch(batch(GOOD)), PEER)


# A single event


@in_loop
async def test_the_path_gives_the_type_of_a_single_event():
    collect, log = collector()
    for member in (without("type"), good(type="page"), good(type=7)):
        await collect.submit(SHOP, open_event(json.dumps(member).encode(), "track"), PEER)
    submissions, _ = await stored(log)
    assert [event.type for submission in submissions for event in submission.events] == ["track"] * 3


@pytest.mark.parametrize(
    ("body", "code", "status"),
    [
        (json.dumps(without("event")).encode(), "event_name_missing", 400),
        (json.dumps(good(text="x" * 40_000)).encode(), "event_too_large", 413),
        (b"[]", "not_an_object", 400),
        (b"null", "not_an_object", 400),
        (b'{"properties":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "too_deep", 400),
    ],
)
@in_loop
async def test_a_bad_single_event_is_refused_with_its_own_code_and_recorded(body, code, status):
    collect, log = collector()
    refusal = (await collect.submit(SHOP, open_event(body, "track"), PEER)).refusal()
    assert (refusal.code, refusal.status) == (code, status)
    _, rejections = await stored(log)
    assert [rejection.code for rejection in rejections] == [code]


# Write keys


def test_the_first_known_key_counts():
    collect, _ = collector()
    assert collect.source([None, "", "wk_shop", "wk_closed"]) is SHOP
    assert collect.source(["token-of-another-server", "wk_shop"]) is SHOP
    assert open_batch(b'{"batch":[],"writeKey":"wk_shop"}').write_key == "wk_shop"
    assert open_batch(b'{"batch":[],"api_key":"wk_shop"}', "posthog").write_key == "wk_shop"
    assert open_event(b'{"writeKey":"wk_shop"}', "track").write_key == "wk_shop"


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ([], "write_key_missing"),
        ([None, ""], "write_key_missing"),
        (["wk_nobody"], "invalid_write_key"),
        (["wk_closed"], "source_disabled"),
        (["wk_nobody", "wk_closed", "wk_nobody"], "source_disabled"),
    ],
)
def test_without_a_known_key_nothing_is_taken(keys, code):
    collect, _ = collector()
    with pytest.raises(RequestRefused) as caught:
        collect.source(keys)
    assert (caught.value.code, caught.value.status) == (code, 401)


@pytest.mark.parametrize("key", ["7", "null", "[]", '""'])
def test_a_key_that_is_not_text_is_none(key):
    assert open_batch(b'{"batch":[],"writeKey":%s}' % key.encode()).write_key is None


# Bodies that cannot be read as they are


@pytest.mark.parametrize(
    ("body", "fact"),
    [
        (b"", "line 1, column 1"),
        (b"{", "line 1, column 2"),
        (b'{"batch":[{"a":1}x]}', "line 1, column 18"),
        (b'{"batch":[\n{"type":track}]}', "line 2, column 9"),
        (b'{"batch":[]} trailing', "line 1, column 14"),
        (b'\xef\xbb\xbf{"batch":[]}', "line 1, column 1"),
        (b'{"batch":[{"type":"\xff"}]}', "byte 19"),
        (b'{"batch":[{"type":"\xed\xa0\x80"}]}', "byte 19"),  # a surrogate, which UTF-8 excludes: RFC 3629, 3
        (b'{"batch":[{"a":01}]}', "line 1, column 17"),
        (b'{"batch":[{"a":"\x01"}]}', "line 1, column 17"),
    ],
)
@pytest.mark.parametrize("opener", [open_batch, lambda body: open_event(body, "track")])
def test_malformed_json_is_refused_with_the_position(body, fact, opener):
    error = refused(body, opener)
    assert (error.code, error.status) == ("malformed_json", 400)
    assert fact in error.message


@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b"{}", b'{"batch":{}}', b'{"batch":"[]"}', b'{"batch":null}'])
def test_a_body_without_a_list_is_refused(body):
    assert refused(body).code == "batch_missing"


SENT_BY_REAL_WRITERS = [
    # CPython's json.dumps: RFC 8259 has no such numbers, its default writes them all the same.
    (b"NaN", None),
    (b"Infinity", None),
    (b"-Infinity", None),
    # ECMAScript's JSON.stringify before ES2019, and CPython's: half of a surrogate pair.
    (rb'"a\ud800b"', "a\ufffdb"),
    (rb'"\udc00"', "\ufffd"),
    (rb'"\ud83d\ude00"', "\U0001f600"),
    # A number that no double can hold.
    (b"1e999", None),
    (b"-1e999", None),
]


@pytest.mark.parametrize(("sent", "kept"), SENT_BY_REAL_WRITERS)
@pytest.mark.parametrize("beside", [b"1", b"NaN"])
@in_loop
async def test_what_is_not_quite_json_is_kept_as_far_as_it_can_be_told(sent, kept, beside):
    collect, log = collector()
    head = b'"type":"track","event":"e","userId":"u"'
    odd = b'{%s,"messageId":"odd","properties":{"total":%s}}' % (head, sent)
    plain = b'{%s,"messageId":"plain","properties":{"total":%s}}' % (head, beside)
    await collect.submit(SHOP, open_batch(raw_batch(plain, odd)), PEER)
    submissions, rejections = await stored(log)
    events = {event.message_id: read_event(event.body) for event in submissions[0].events}
    assert events["odd"].properties.total == kept
    assert events["plain"].properties.total == (1 if beside == b"1" else None)
    assert rejections == []


@in_loop
async def test_a_number_out_of_range_where_the_head_is_read_costs_only_that_member():
    collect, log = collector()
    members = [json.dumps(GOOD).encode(), b'{"type":1e999}', b'{"type":"track","event":"e","userId":1e999}']
    await collect.submit(SHOP, open_batch(raw_batch(*members)), PEER)
    submissions, rejections = await stored(log)
    assert [event.message_id for event in submissions[0].events] == ["m-1"]
    assert [rejection.code for rejection in rejections] == ["type_missing", "ids_missing"]


@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"]}\\"":', b"}]")])
@pytest.mark.parametrize("depth", [2_000, 100_000])
@in_loop
async def test_deep_nesting_costs_only_that_member(brackets, depth):
    collect, log = collector(Limits(10_000_000, 10))
    opening, closing = brackets
    deep = b'{"type":"track","messageId":"deep","properties":' + opening * depth + b"1" + closing * depth + b"}"
    body = raw_batch(json.dumps(good("m-0")).encode(), deep, json.dumps(good("m-2")).encode())
    await collect.submit(SHOP, open_batch(body), PEER)
    submissions, rejections = await stored(log)
    assert [event.message_id for event in submissions[0].events] == ["m-0", "m-2"]
    assert [(rejection.code, rejection.message_id) for rejection in rejections] == [("too_deep", "deep")]


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"batch":' * 100_000, b'{"batch":[' + b"[" * 9_000 + b'"' + b'\\"' * 9_000]
)
def test_deep_nesting_without_an_end_is_malformed(body):
    assert refused(body).code == "malformed_json"


@in_loop
async def test_what_is_not_too_deep_to_be_read_is_kept():
    collect, log = collector()
    levels = DEPTH_KEPT * 2
    nested = b'{"type":"page","userId":"u","messageId":"nested","properties":' + b"[" * levels + b"]" * levels + b"}"
    await collect.submit(SHOP, open_batch(raw_batch(nested)), PEER)
    assert (await stored(log))[0][0].events[0].body == nested


# PostHog's form


@in_loop
async def test_posthog_members_are_stored_as_sent_with_segments_types():
    collect, log = collector()
    names = {  # names of PyPI posthog 7.91.1
        "$pageview": "page",
        "$screen": "screen",
        "$identify": "identify",
        "$set": "identify",
        "$groupidentify": "group",
        "$create_alias": "alias",
        "Order Completed": "track",
        "$autocapture": "track",
    }
    members = [json.dumps({"event": name, "uuid": name, "distinct_id": "u"}).encode() for name in names]
    envelope = open_batch(raw_batch(*members), "posthog", "2026-11-23T02:30:00.300Z")
    await collect.submit(SHOP, envelope, PEER)
    submission = (await stored(log))[0][0]
    assert submission.dialect == "posthog"
    assert submission.sent_at == 1795401000.3
    assert {event.message_id: event.type for event in submission.events} == names
    assert [event.body for event in submission.events] == members


@pytest.mark.parametrize(
    ("code", "member"),
    [
        ("not_an_object", []),
        ("event_name_missing", {"distinct_id": "u"}),
        ("event_name_missing", {"event": 7, "distinct_id": "u"}),
        ("ids_missing", {"event": "e"}),
        ("ids_missing", {"event": "e", "distinct_id": None}),
        ("ids_missing", {"event": "e", "distinct_id": "", "properties": {"distinct_id": ""}}),
        ("ids_missing", {"event": "e", "properties": "distinct_id"}),
        ("message_id_invalid", {"event": "e", "distinct_id": "u", "uuid": {}}),
    ],
)
@in_loop
async def test_a_faulty_posthog_member_is_recorded_with_its_reason(code, member):
    collect, log = collector()
    fine = {"event": "e", "distinct_id": 7, "uuid": "fine"}
    await collect.submit(SHOP, open_batch(batch(member, fine), "posthog"), PEER)
    submissions, rejections = await stored(log)
    assert [event.message_id for event in submissions[0].events] == ["fine"]
    assert [rejection.code for rejection in rejections] == [code]


@in_loop
async def test_a_posthog_id_may_stand_in_the_properties():
    collect, log = collector()
    member = {"event": "e", "uuid": "0190", "properties": {"distinct_id": "u"}}
    await collect.submit(SHOP, open_batch(batch(member), "posthog"), PEER)
    assert (await stored(log))[0][0].events[0].message_id == "0190"


# Whatever is sent

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
member_names = st.sampled_from(
    [
        "type",
        "event",
        "messageId",
        "userId",
        "anonymousId",
        "groupId",
        "previousId",
        "uuid",
        "distinct_id",
        "properties",
    ]
)
kinds = st.sampled_from(["track", "page", "identify", "group", "alias", "screen", "x"])
eventlike = st.dictionaries(member_names, anything | kinds, max_size=8)
bodies = (
    st.binary(max_size=200)
    | (anything | eventlike).map(lambda value: json.dumps(value).encode())
    | st.lists(anything | eventlike, max_size=5).map(lambda members: batch(*members))
    | st.lists(st.binary(max_size=20), max_size=4).map(lambda members: raw_batch(*members))
)


def openers():
    yield from (lambda body, dialect=dialect: open_batch(body, dialect) for dialect in ("segment", "posthog"))
    yield lambda body: open_event(body, "track")


@settings(deadline=None)
@given(bodies)
@example(b'{"batch":[{"type":"track","event":"e","userId":"u","properties":{"a":' + b"9" * 5_000 + b"}}]}")
@example(b'{"batch":[{"a":NaN,"b":' + b"9" * 5_000 + b"}]}")
@example(b'{"batch":[{"type":"track","event":"\\ud800","userId":"\\udfff"}]}')
def test_no_body_does_harm(body):
    """Only documented refusals; and what is stored can be read."""

    @in_loop
    async def check(opener):
        collect, log = collector()
        try:
            receipt = await collect.submit(SHOP, opener(body), PEER)
            refusal = receipt.refusal()
        except RequestRefused as error:
            receipt, refusal = Receipt([], [], single=False), error
        assert refusal is None or refusal.code in CODES
        submissions, rejections = await stored(log)
        events = [event for submission in submissions for event in submission.events]
        assert (len(events), len(rejections)) == (len(receipt.events), len(receipt.flaws))
        for event in events:
            assert msgspec.json.decode(event.body, type=dict[str, msgspec.Raw])
            assert read_event(event.body) is not None
            assert 1 <= len(event.message_id) <= 256
            assert event.message_id.encode()

    for opener in openers():
        check(opener)


@settings(deadline=None)
@given(st.lists(anything | eventlike, max_size=4), st.integers(0, 4))
@example([{"type": "track", "properties": math.nan}, "\ud800"], 1)
def test_a_good_event_is_kept_whatever_its_neighbours_are(neighbours, place):
    @in_loop
    async def check(dialect, member, message_id):
        collect, log = collector()
        members = [*neighbours[:place], member, *neighbours[place:]]
        receipt = await collect.submit(SHOP, open_batch(batch(*members), dialect), PEER)
        kept = [event for submission in (await stored(log))[0] for event in submission.events]
        bodies = [json.loads(event.body) for event in kept if event.message_id == message_id]
        assert member in bodies
        assert len(receipt.events) + len(receipt.flaws) == len(members)
        assert receipt.refusal() is None

    check("segment", good("the good one"), "the good one")
    check("posthog", {"event": "e", "distinct_id": "u", "uuid": "the good one"}, "the good one")


def test_every_fault_has_its_own_code_and_says_what_to_do():
    faults = (*MEMBER_FAULTS, *REQUEST_FAULTS)
    assert len({fault.code for fault in faults}) == len(faults)
    for fault, text in product(faults, ("message", "advice")):
        assert getattr(fault, text).endswith("."), fault.code

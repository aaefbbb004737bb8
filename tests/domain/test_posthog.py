"""PostHog's events in Segment's form.

The bodies named "7.91.1" were sent by the unmodified PyPI package posthog 7.91.1, in its two wire forms (v0:
``/batch/``, v1: ``/i/v1/analytics/events``), to a local server; ``$python_runtime`` and the like are left as they came.
The browser client's members are those in PostHog/posthog-js packages/browser at 0a534a9c (utils/event-utils.ts) and
8493d87d (posthog-core.ts: calculateEventProperties, identify).
"""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinyon.domain.event import event_from
from pinyon.domain.posthog import event_type, to_segment

RUNTIME = {
    "$python_runtime": "CPython",
    "$python_version": "3.11.7",
    "$os": "Linux",
    "$os_version": "12",
    "$os_distro": "Debian GNU/Linux",
    "$is_server": True,
}
LIB = {"$lib": "posthog-python", "$lib_version": "7.91.1", "$geoip_disable": True}
TIME = "2026-11-23T10:00:00+00:00"
LIBRARY = {"library": {"name": "posthog-python", "version": "7.91.1"}}

ORDER = {
    "order_id": "o1",
    "revenue": 12.5,
    "currency": "EUR",
    "$ip": "203.0.113.9",
    "$current_url": "https://shop.example.com/done",
    "products": [{"product_id": "p"}],
}
ORDER_SEGMENT = {
    "type": "track",
    "event": "Order Completed",
    "userId": "user_1",
    "timestamp": TIME,
    "properties": {"order_id": "o1", "revenue": 12.5, "currency": "EUR", "products": [{"product_id": "p"}]},
}
ORDER_CONTEXT = {"ip": "203.0.113.9", "page": {"url": "https://shop.example.com/done"}}

VECTORS = {
    "7.91.1 v0 capture": (
        {
            "properties": ORDER | RUNTIME | LIB,
            "timestamp": TIME,
            "distinct_id": "user_1",
            "event": "Order Completed",
            "uuid": "a4ab3bb1-0d66-480e-af6d-db88e9cfc4f0",
        },
        ORDER_SEGMENT | {"messageId": "a4ab3bb1-0d66-480e-af6d-db88e9cfc4f0", "context": ORDER_CONTEXT | LIBRARY},
    ),
    "7.91.1 v1 capture": (
        {
            "event": "Order Completed",
            "uuid": "a536de04-e673-4343-b08c-fe5d96fd281c",
            "distinct_id": "user_1",
            "timestamp": TIME,
            "options": {},
            "properties": ORDER | RUNTIME,
        },
        ORDER_SEGMENT | {"messageId": "a536de04-e673-4343-b08c-fe5d96fd281c", "context": ORDER_CONTEXT},
    ),
    "7.91.1 v0 page view": (
        {
            "properties": {"$current_url": "https://shop.example.com/a?epik=x", "title": "A"} | RUNTIME | LIB,
            "timestamp": TIME,
            "distinct_id": "user_1",
            "event": "$pageview",
            "uuid": "30f56019-cb6f-45a4-b838-afa953778b34",
        },
        {
            "type": "page",
            "messageId": "30f56019-cb6f-45a4-b838-afa953778b34",
            "userId": "user_1",
            "timestamp": TIME,
            "properties": {"url": "https://shop.example.com/a?epik=x", "title": "A"},
            "context": LIBRARY | {"page": {"url": "https://shop.example.com/a?epik=x", "title": "A"}},
        },
    ),
    "7.91.1 v0 screen": (
        {
            "properties": {"$screen_name": "Home"} | RUNTIME | LIB,
            "timestamp": TIME,
            "distinct_id": "user_1",
            "event": "$screen",
            "uuid": "cce98e75-ce18-4650-869b-c8cff8ef1881",
        },
        {
            "type": "screen",
            "name": "Home",
            "messageId": "cce98e75-ce18-4650-869b-c8cff8ef1881",
            "userId": "user_1",
            "timestamp": TIME,
            "properties": {},
            "context": LIBRARY,
        },
    ),
    "7.91.1 v0 capture without a person": (
        {
            "properties": RUNTIME | {"$process_person_profile": False} | LIB,
            "timestamp": TIME,
            "distinct_id": "e7159b3b-9a30-4f21-b15b-d73beedbad56",
            "event": "anon",
            "uuid": "cf8e1c0d-7aa0-459d-9bc3-ce561eb11992",
        },
        {
            "type": "track",
            "event": "anon",
            "messageId": "cf8e1c0d-7aa0-459d-9bc3-ce561eb11992",
            "anonymousId": "e7159b3b-9a30-4f21-b15b-d73beedbad56",
            "timestamp": TIME,
            "properties": {},
            "context": LIBRARY,
        },
    ),
    "7.91.1 v1 capture without a person": (
        {
            "event": "anon",
            "uuid": "64639349-7caf-47df-a1ea-77df2d2848d8",
            "distinct_id": "1c36d740-4082-4a7b-ae6e-47aa97e18c34",
            "timestamp": TIME,
            "options": {"process_person_profile": False},
            "properties": RUNTIME,
        },
        {
            "type": "track",
            "event": "anon",
            "messageId": "64639349-7caf-47df-a1ea-77df2d2848d8",
            "anonymousId": "1c36d740-4082-4a7b-ae6e-47aa97e18c34",
            "timestamp": TIME,
            "properties": {},
            "context": {},
        },
    ),
    "7.91.1 v0 capture with $set": (
        {
            "properties": {"$set": {"email": "jane@example.com"}} | RUNTIME | LIB,
            "timestamp": TIME,
            "distinct_id": "user_1",
            "event": "signed up",
            "uuid": "45261037-9594-4978-9470-9485b7b33074",
        },
        {
            "type": "track",
            "event": "signed up",
            "messageId": "45261037-9594-4978-9470-9485b7b33074",
            "userId": "user_1",
            "timestamp": TIME,
            "properties": {},
            "context": LIBRARY | {"traits": {"email": "jane@example.com"}},
        },
    ),
    "7.91.1 v0 set, beside the properties": (
        {
            "timestamp": TIME,
            "distinct_id": "user_1",
            "$set": {"email": "jane@example.com", "name": "Jane"},
            "event": "$set",
            "properties": LIB | {"$is_server": True},
            "uuid": "1559a2cb-e1c0-4dc1-8ffa-46ff445e4124",
        },
        {
            "type": "identify",
            "messageId": "1559a2cb-e1c0-4dc1-8ffa-46ff445e4124",
            "userId": "user_1",
            "timestamp": TIME,
            "traits": {"email": "jane@example.com", "name": "Jane"},
            "context": LIBRARY,
        },
    ),
    "7.91.1 v1 set, inside the properties": (
        {
            "event": "$set",
            "uuid": "6189e756-b2a4-498a-b45e-d58fd93d98c0",
            "distinct_id": "user_1",
            "timestamp": TIME,
            "options": {},
            "properties": {"$is_server": True, "$set": {"email": "jane@example.com", "name": "Jane"}},
        },
        {
            "type": "identify",
            "messageId": "6189e756-b2a4-498a-b45e-d58fd93d98c0",
            "userId": "user_1",
            "timestamp": TIME,
            "traits": {"email": "jane@example.com", "name": "Jane"},
            "context": {},
        },
    ),
    "7.91.1 v0 set once": (
        {
            "timestamp": TIME,
            "distinct_id": "user_1",
            "$set_once": {"first": "x"},
            "event": "$set_once",
            "properties": LIB | {"$is_server": True},
            "uuid": "7dabc40b-cf13-4d9c-a073-c6cd4fab29d7",
        },
        {
            "type": "identify",
            "messageId": "7dabc40b-cf13-4d9c-a073-c6cd4fab29d7",
            "userId": "user_1",
            "timestamp": TIME,
            "traits": {"first": "x"},
            "context": LIBRARY,
        },
    ),
    "7.91.1 v0 group": (
        {
            "event": "$groupidentify",
            "properties": {"$group_type": "company", "$group_key": "c1", "$group_set": {"name": "ACME"}}
            | LIB
            | {"$is_server": True},
            "distinct_id": "user_1",
            "timestamp": TIME,
            "uuid": "057fc8cd-f765-4cc9-9025-0477ad646cee",
        },
        {
            "type": "group",
            "messageId": "057fc8cd-f765-4cc9-9025-0477ad646cee",
            "userId": "user_1",
            "groupId": "c1",
            "timestamp": TIME,
            "traits": {"name": "ACME"},
            "context": LIBRARY,
        },
    ),
    # alias("anon_1", "user_1"): the first argument is the earlier id
    "7.91.1 v0 alias": (
        {
            "properties": {"distinct_id": "anon_1", "alias": "user_1"} | LIB | {"$is_server": True},
            "timestamp": TIME,
            "event": "$create_alias",
            "distinct_id": "anon_1",
            "uuid": "f467a612-ac7a-4cda-be19-5c44e1633fd7",
        },
        {
            "type": "alias",
            "messageId": "f467a612-ac7a-4cda-be19-5c44e1633fd7",
            "previousId": "anon_1",
            "userId": "user_1",
            "timestamp": TIME,
            "context": LIBRARY,
        },
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_a_real_body_says_the_same_in_segments_form(name):
    body, expected = VECTORS[name]
    before = json.dumps(body)
    assert to_segment(body) == expected
    assert json.dumps(body) == before


BROWSER = {
    "$os": "iOS",
    "$os_version": "17.5",
    "$device_type": "Mobile",
    "$raw_user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)",
    "$browser_language": "en-GB",
    "$timezone": "Europe/London",
    "$referrer": "https://www.pinterest.com/",
    "$pathname": "/p/1",
    "$current_url": "https://shop.example.com/p/1",
    "$screen_height": 844,
    "$screen_width": 390,
    "$lib": "web",
    "$lib_version": "1.200.0",
    "token": "phc_key",
    "distinct_id": "device-1",
    "$device_id": "device-1",
}


def browser_event(name="$pageview", distinct_id="device-1", **properties):
    return {
        "event": name,
        "uuid": "0190",
        "distinct_id": distinct_id,
        "timestamp": TIME,
        "properties": BROWSER | {"distinct_id": distinct_id} | properties,
    }


def test_facts_about_the_persons_device_come_along():
    event = to_segment(browser_event())
    assert event["context"] == {
        "userAgent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)",
        "locale": "en-GB",
        "timezone": "Europe/London",
        "page": {
            "url": "https://shop.example.com/p/1",
            "path": "/p/1",
            "referrer": "https://www.pinterest.com/",
        },
        "library": {"name": "web", "version": "1.200.0"},
        "device": {"type": "Mobile"},
        "screen": {"width": 390, "height": 844},
        "os": {"name": "iOS", "version": "17.5"},
    }
    assert event["properties"] == event["context"]["page"]


def test_the_system_of_a_server_is_not_the_persons():
    assert "os" not in to_segment(browser_event(**{"$is_server": True}))["context"]


@pytest.mark.parametrize(
    ("members", "ids"),
    [
        ({}, {"anonymousId": "device-1"}),
        ({"distinct_id": "user-1"}, {"userId": "user-1", "anonymousId": "device-1"}),
        ({"distinct_id": "user-1", "$is_identified": False}, {"anonymousId": "user-1"}),
        ({"distinct_id": "user-1", "$is_identified": True}, {"userId": "user-1", "anonymousId": "device-1"}),
        (
            {"name": "$identify", "distinct_id": "user-1", "$anon_distinct_id": "anon-1"},
            {"userId": "user-1", "anonymousId": "anon-1"},
        ),
    ],
)
def test_a_distinct_id_is_the_persons_or_the_devices(members, ids):
    event = to_segment(browser_event(**members))
    assert {name: event[name] for name in ("userId", "anonymousId") if name in event} == ids


def test_the_id_may_stand_in_the_properties_only():
    body = browser_event(distinct_id="user-1")
    del body["distinct_id"]
    assert to_segment(body)["userId"] == "user-1"
    assert to_segment(body | {"distinct_id": None})["userId"] == "user-1"


@pytest.mark.parametrize(
    "cookieless", [{"properties": {"$cookieless_mode": True}}, {"options": {"cookieless_mode": True}}]
)
def test_the_id_that_all_cookieless_visitors_share_is_nobodys(cookieless):
    event = to_segment({"event": "e", "distinct_id": "$posthog_cookieless", "uuid": "0190"} | cookieless)
    assert "userId" not in event
    assert "anonymousId" not in event


def test_no_referrer_is_left_out():
    context = to_segment(browser_event(**{"$referrer": "$direct"}))["context"]
    assert "referrer" not in context["page"]


def test_what_is_set_wins_over_what_is_set_once():
    body = browser_event("$identify", "user-1", **{"$set": {"plan": "b"}, "$set_once": {"plan": "a", "seen": 1}})
    assert to_segment(body)["traits"] == {"plan": "b", "seen": 1}


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("$pageview", "page"),
        ("$screen", "screen"),
        ("$identify", "identify"),
        ("$set", "identify"),
        ("$set_once", "identify"),
        ("$groupidentify", "group"),
        ("$create_alias", "alias"),
        ("$autocapture", "track"),
        ("Order Completed", "track"),
        ("", "track"),
    ],
)
def test_the_name_gives_the_type(name, type_):
    assert event_type(name) == type_


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
names = sorted({*BROWSER, "$set", "$set_once", "$group_key", "$group_set", "alias", "title", "$is_server"})
posthog_bodies = st.fixed_dictionaries(
    {},
    optional={
        "event": st.sampled_from(["$pageview", "$identify", "$create_alias", "$groupidentify", "x"]) | json_values,
        "uuid": json_values,
        "distinct_id": json_values,
        "timestamp": json_values,
        "$set": json_values,
        "options": json_values,
        "properties": st.dictionaries(st.sampled_from(names), json_values) | json_values,
    },
)


@settings(deadline=None)
@given(posthog_bodies)
def test_any_object_becomes_an_event_that_rules_can_read(body):
    event = event_from(to_segment(body))
    assert event.type == (event_type(body["event"]) if isinstance(body.get("event"), str) else "track")

"""Reading events: whatever strangers send, what comes out has the forms that rules rely on."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pinyon.domain.event import Address, Event, Product, Undecodable, event_from, read_event

OBJECTS = ["context", "traits", "properties"]
CONTEXT_OBJECTS = ["page", "consent", "device", "app", "os", "network", "screen", "library", "traits"]

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8)
KEYS = st.sampled_from(
    [*OBJECTS, *CONTEXT_OBJECTS, "address", "products", "categoryPreferences", "event", "type", "email", "price"]
) | st.text(max_size=4)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
ANY_WHERE_AN_OBJECT_BELONGS = st.fixed_dictionaries(
    {},
    optional={
        "context": JSON | st.dictionaries(st.sampled_from(CONTEXT_OBJECTS), JSON),
        "traits": JSON | st.fixed_dictionaries({"address": JSON}),
        "properties": JSON | st.fixed_dictionaries({"products": JSON}),
        "type": JSON,
        "event": JSON,
    },
)


def assert_forms(event):
    fresh = Event()
    assert type(event) is Event
    for name in OBJECTS:
        assert type(getattr(event, name)) is type(getattr(fresh, name))
    for name in CONTEXT_OBJECTS:
        assert type(getattr(event.context, name)) is type(getattr(fresh.context, name))
    for traits in (event.traits, event.context.traits):
        assert type(traits.address) is Address
    products = event.properties.products
    assert products is None or {type(product) for product in products} <= {Product}


@given(ANY_WHERE_AN_OBJECT_BELONGS | st.dictionaries(KEYS, JSON))
@example({"context": {"page": "x", "traits": {"address": 5}}, "traits": {"address": "Berlin"}})
@example({"properties": {"products": {"product_id": 1}}})
@example({"properties": {"products": [None, 5, "x", [], {"product_id": "p"}]}})
@example({"context": {"page": {}, "device": {"type": {"a": [1]}}}})
@example({"userId": 10**400})
def test_any_json_object_is_an_event(data):
    """Python's writer makes NaN, infinities and lone surrogates too."""
    assert_forms(read_event(json.dumps(data).encode()))


@given(st.binary() | JSON.map(lambda data: json.dumps(data).encode()))
@example(b"")
@example(b"[1]")
@example(b'"\\ud800"')
@example(b"\xff{}")
@example(b'{"event":"\xff"}')
@example(b'{"context":{"page":{"url":"\xed\xa0\x80"}}}')
@example(b'\xef\xbb\xbf{"type":"page"}')
@example(b'{"a":' * 100_000)
@example(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
@example(b'{"userId":' + b"9" * 5_000 + b"}")
@example(b'{"context":{"ip":1e999,"page":7}}')
def test_any_bytes_are_an_event_or_undecodable(body):
    try:
        event = read_event(body)
    except Undecodable:
        return
    assert_forms(event)


@given(ANY_WHERE_AN_OBJECT_BELONGS)
def test_decoded_objects_come_to_the_same(data):
    clean = json.loads(json.dumps(data).encode("utf-8", "replace"), parse_constant=lambda _: None)
    assert event_from(clean) == read_event(json.dumps(clean).encode())


@pytest.mark.parametrize("odd", [None, 5, "text", [1], True, 1.5])
@pytest.mark.parametrize("place", OBJECTS)
def test_a_wrong_object_costs_only_itself(place, odd):
    event = read_event(json.dumps({"type": "track", "userId": "u", place: odd}).encode())
    assert (event.type, event.user_id) == ("track", "u")
    assert getattr(event, place) == getattr(Event(), place)


def test_wrong_members_leave_their_neighbours():
    body = {
        "context": {"ip": "192.0.2.1", "page": ["x"], "device": {"type": "ios"}, "traits": {"email": 5, "address": 1}},
        "properties": {"value": 3, "products": [7, {"product_id": "p1"}]},
    }
    event = read_event(json.dumps(body).encode())
    assert (event.context.ip, event.context.device.type, event.context.traits.email) == ("192.0.2.1", "ios", 5)
    assert event.properties.value == 3
    assert [product.product_id for product in event.properties.products] == ["p1"]


def test_what_python_and_javascript_write_is_read():
    event = read_event(b'{"event":"a\\ud83d","properties":{"value":NaN,"total":1e999,"revenue":-Infinity,"price":2}}')
    properties = event.properties
    assert (properties.value, properties.total, properties.revenue, properties.price) == (None, None, None, 2)
    assert event.event.startswith("a")
    event.event.encode()

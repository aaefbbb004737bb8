"""The sandbox's own reading of the published schema (Pinterest API description 5.23.0, ConversionEvents)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_calls import DIGEST, event

from pinyon.sandbox.schema import SchemaError, read_events, split_events


def refusal(*events: object) -> str:
    """The message of the refusal, empty when the events are taken."""
    try:
        read_events(json.dumps({"data": events}).encode(), accept_advertiser_tracking=False)
    except SchemaError as error:
        return str(error)
    return ""


USER = {"em": [DIGEST]}

REFUSED = [
    (
        event(category_name="shirts"),
        "Additional properties are not allowed ('category_name' was unexpected) at data[0]",
    ),
    (event(event_time="1750000000"), "expected integer, got string at data[0].event_time"),
    (event(event_time=1.75e9), "expected integer, got number at data[0].event_time"),
    (event(event_time=2**63), "expected integer <= 9223372036854775807 at data[0].event_time"),
    (event(event_name=None), "expected string, got null at data[0].event_name"),
    (event(opt_out=None), "expected boolean, got null at data[0].opt_out"),
    (event(wifi="true"), "expected boolean, got string at data[0].wifi"),
    (event(custom_data=None), "expected object, got null at data[0].custom_data"),
    (event(custom_data={"value": 72.39}), "expected string or null, got number at data[0].custom_data.value"),
    (event(custom_data={"num_items": "2"}), "expected integer, got string at data[0].custom_data.num_items"),
    (event(custom_data={"num_items": None}), "expected integer, got null at data[0].custom_data.num_items"),
    (event(custom_data={"content_ids": [1]}), "expected string, got integer at data[0].custom_data.content_ids[0]"),
    (
        event(custom_data={"contents": [{}, {"price": "1"}]}),
        "Additional properties are not allowed ('price' was unexpected) at data[0].custom_data.contents[1]",
    ),
    (event(app_info=None), "expected object, got null at data[0].app_info"),
    (event(app_info={"app_id": None}), "expected string, got null at data[0].app_info.app_id"),
    (event(app_info={"app_id": "x" * 201}), "expected string of length <= 200 at data[0].app_info.app_id"),
    (event(app_info={"install_time": -1}), "expected integer >= 0 at data[0].app_info.install_time"),
    (event(device_info={"battery_level": 101}), "expected integer <= 100 at data[0].device_info.battery_level"),
    (
        event(device_info={"timezone_abbr": "PDTXYZ"}),
        "expected string of length <= 5 at data[0].device_info.timezone_abbr",
    ),
    (
        event(device_info={"languages": ["en"] * 101}),
        "expected array of length <= 100 at data[0].device_info.languages",
    ),
    (
        event(device_info={"os_family": "beos"}),
        "the value is not one of those allowed at data[0].device_info.os_family",
    ),
    (event(user_data=USER | {"em": None}), "expected array, got null at data[0].user_data.em"),
    (event(user_data=USER | {"em": DIGEST}), "expected array, got string at data[0].user_data.em"),
    ("event", "expected object, got string at data[0]"),
    ({"event_name": "checkout"}, "'action_source' is a required property at data[0]"),
]


@pytest.mark.parametrize(("wrong", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_a_refusal_says_what_and_where(wrong, words):
    assert refusal(wrong) == f"Invalid request: {words}"


TAKEN = [
    event(partner_name=None, app_id=None, language=None, custom_data={"value": None, "order_id": None}),
    event(custom_data={"contents": [{"id": "1", "item_price": "1.00", "quantity": 2}], "num_items": 2}),
    event(user_data=USER | {"click_id": None, "partner_id": None, "not_in_the_schema": {"deep": [1]}}),
    event(app_info={"app_id": "ä" * 200}, device_info={"form_factor": "tv", "cpu_cores": 1152, "languages": []}),
    event(user_data={"hashed_maids": [DIGEST]}),
    event(user_data={"client_ip_address": "203.0.113.7", "client_user_agent": "x"}),
]


@pytest.mark.parametrize("right", TAKEN)
def test_what_the_schema_allows_is_taken(right):
    assert refusal(right) == ""


@pytest.mark.parametrize(
    "user_data",
    [
        {},
        {"em": []},
        {"em": [], "hashed_maids": []},
        {"client_ip_address": "203.0.113.7"},
        {"client_ip_address": "203.0.113.7", "client_user_agent": ""},
        {"ph": [DIGEST], "external_id": [DIGEST], "click_id": "x", "partner_id": "y"},
    ],
)
def test_a_person_must_be_identified(user_data):
    assert refusal(event(user_data=user_data)).endswith("with client_user_agent at data[0].user_data")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"data": [',
        b"\xff",
        b'{"data": [}',
        b'{"data": [{"user_data": {"open": ' + b"[" * 100_000,
        json.dumps({"data": [event(user_data={"em": [DIGEST], "open": "é"})]}, ensure_ascii=False).encode("latin-1"),
        json.dumps({"data": [event()]}).encode() + b"}",
    ],
)
def test_what_is_not_json_is_refused_as_such(body):
    with pytest.raises(SchemaError, match="the body is not valid JSON"):
        read_events(body, accept_advertiser_tracking=False)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[]", "Invalid request: expected object, got array"),
        (b"{}", "Invalid request: 'data' is a required property"),
        (b'{"data": []}', "Invalid request: expected array of length >= 1 at data"),
        (b'{"data": null}', "Invalid request: expected array, got null at data"),
        (b'{"more": 1}', "Invalid request: Additional properties are not allowed ('more' was unexpected)"),
    ],
)
def test_the_envelope(body, words):
    with pytest.raises(SchemaError) as caught:
        read_events(body, accept_advertiser_tracking=False)
    assert str(caught.value) == words


def test_the_bytes_of_each_event_are_kept_as_sent():
    bodies = [b'{"event_id":"a",  "x":1.0}', b'{"event_id":"\\u00e4"}']
    assert [bytes(body) for body in split_events(b'{"data": [' + b", ".join(bodies) + b"]}")] == bodies


SECRET = "s3cret-jane.doe+x@example.com"  # has what no member name has
PLACES = st.sampled_from(
    [
        lambda value: event(event_time=value),
        lambda value: event(event_id=[value]),
        lambda value: event(opt_out=value),
        lambda value: event(**{SECRET: value}),
        lambda value: event(custom_data={"num_items": value}),
        lambda value: event(custom_data={SECRET: value}),
        lambda value: event(custom_data={"contents": [{"quantity": value}]}),
        lambda value: event(user_data=value),
        lambda value: event(user_data={"em": {"x": value}}),
        lambda value: event(user_data={"em": [DIGEST], "ph": [[value]]}),
        lambda value: event(app_info={"install_time": value}),
        lambda value: event(device_info={"os_family": value}),
        lambda value: event(device_info={"timezone_abbr": value}),
        lambda value: value,
    ]
)


@given(PLACES, st.sampled_from([SECRET, [SECRET], {SECRET: SECRET}, {"em": SECRET}]))
def test_a_refusal_never_repeats_a_value(place, value):
    words = refusal(place(value))
    assert words
    assert "s3cret" not in words
    assert "example.com" not in words

"""The sandbox agrees with Pinterest's published schema, event by event.

Set ``PINYON_PUBLISHED_SCHEMA`` to the file of Pinterest's OpenAPI description as JSON (5.23.0 was used), or to
a part of it that has the schema ConversionEvents.
"""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from pinyon.sandbox.schema import SchemaError, read_events

PUBLISHED = os.environ.get("PINYON_PUBLISHED_SCHEMA", "")

pytestmark = pytest.mark.skipif(
    not PUBLISHED, reason="PINYON_PUBLISHED_SCHEMA is not set: the sandbox is NOT compared with the published schema"
)

text = st.text(max_size=6)
digests = st.lists(text, min_size=1, max_size=2)
nullable = st.none() | text
pixels = st.sampled_from([-1, 0, 30_720, 30_721])
gigabytes = st.sampled_from([-1, 0, 1_048_576, 1_048_577])


def of_length(limit: int) -> st.SearchStrategy[str]:
    return st.sampled_from(["", "x" * limit, "😀" * limit, "x" * (limit + 1)])


CONTENT = {
    **dict.fromkeys(("id", "item_name", "item_category", "item_brand", "item_price"), text),
    "quantity": st.integers(-(2**65), 2**65),
}
CUSTOM_DATA = {
    **dict.fromkeys(
        [
            "currency",
            "value",
            "order_id",
            "content_name",
            "content_category",
            "content_brand",
            "search_string",
            "opt_out_type",
            "predicted_ltv",
            "np",
            "external_measurement_id",
        ],
        nullable,
    ),
    "content_ids": st.lists(text, max_size=2),
    "contents": st.lists(st.fixed_dictionaries({}, optional=CONTENT), max_size=2),
    "num_items": st.integers(-(2**65), 2**65),
    "external_measurement_vendor_id": st.none() | st.integers(),
}
APP_INFO = {
    **dict.fromkeys(("app_id", "app_name", "app_package_name"), of_length(200)),
    **dict.fromkeys(("app_store", "app_version"), of_length(100)),
    "user_agent": of_length(16_384),
    "install_time": st.sampled_from([-1, 0, 2**70]),
    **dict.fromkeys(("window_height", "window_width"), pixels),
}
DEVICE_INFO = {
    **dict.fromkeys(
        ["brand", "carrier", "kernel_version", "model", "os_name", "os_release_name", "os_version", "type"],
        of_length(100),
    ),
    "locale": of_length(35),
    "timezone": of_length(40),
    "timezone_abbr": of_length(5),
    "battery_level": st.sampled_from([-1, 0, 100, 101]),
    "cpu_cores": st.sampled_from([-1, 0, 1152, 1153]),
    "screen_density": st.sampled_from([-1, 0, 100_000, 100_001]),
    **dict.fromkeys(("screen_height", "screen_width"), pixels),
    **dict.fromkeys(
        ["storage_size", "storage_free_space", "external_storage_size", "external_storage_free_space"], gigabytes
    ),
    "form_factor": st.sampled_from(
        ["desktop", "laptop", "cellphone", "tablet", "smartwatch", "tv", "vr", "console", "other", "phone", "Desktop"]
    ),
    "os_family": st.sampled_from(["ios", "android", "macos", "windows", "linux", "bsd", "other", "unix", "iOS"]),
    "network_type": st.sampled_from(
        ["wifi", "cellular_2g", "cellular_3g", "cellular_4g", "cellular_5g", "cellular_6g", "ethernet", "unknown", "5g"]
    ),
    "languages": st.sampled_from([[], ["en"], ["en"] * 100, ["en"] * 101]),
}
USER_DATA = {
    **dict.fromkeys(
        ["em", "hashed_maids", "ph", "ge", "db", "fn", "ln", "ct", "st", "zp", "country", "external_id"], digests
    ),
    **dict.fromkeys(("client_ip_address", "client_user_agent"), st.text(min_size=1, max_size=6)),
    **dict.fromkeys(("click_id", "partner_id"), nullable),
}
EVENT = {
    **dict.fromkeys(
        [
            "event_source_url",
            "partner_name",
            "app_id",
            "app_name",
            "app_version",
            "device_brand",
            "device_carrier",
            "device_model",
            "device_type",
            "os_version",
            "language",
        ],
        nullable,
    ),
    "opt_out": st.booleans(),
    "wifi": st.booleans(),
    "custom_data": st.fixed_dictionaries({}, optional=CUSTOM_DATA),
    "app_info": st.fixed_dictionaries({}, optional=APP_INFO),
    "device_info": st.fixed_dictionaries({}, optional=DEVICE_INFO),
}
events = st.fixed_dictionaries(
    {
        "event_name": text,
        "action_source": text,
        "event_time": st.integers(0, 2**33),
        "event_id": text,
        "user_data": st.fixed_dictionaries({}, optional=USER_DATA),
    },
    optional=EVENT,
)
# Numbers with a fraction of zero are left out: whether 1.0 is an integer differs between editions of JSON Schema.
anything = st.none() | st.booleans() | st.integers(-2, 2**65) | st.just(1.5) | text | st.lists(text, max_size=2)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, object]:
    """An event in which, somewhere, a member is replaced by anything, is added, or is missing."""
    event = draw(events)
    place = event
    for _ in range(draw(st.integers(0, 2))):
        inner = [value for value in place.values() if isinstance(value, dict)]
        inner += [
            item for value in place.values() if isinstance(value, list) for item in value if isinstance(item, dict)
        ]
        if inner:
            place = draw(st.sampled_from(inner))
    name = draw(st.sampled_from([*place, "another", "user_data", "em", "event_id", "value", "os_family"]))
    if draw(st.booleans()):
        place[name] = draw(anything)
    else:
        place.pop(name, None)
    return event


@pytest.fixture(scope="module")
def published() -> OAS30Validator:
    document = json.loads(Path(PUBLISHED).read_text())
    resource = Resource.from_contents(document, default_specification=DRAFT4)
    registry = Registry().with_resource("urn:pinterest", resource)
    schema = {"$ref": "urn:pinterest#/components/schemas/ConversionEvents"}
    return OAS30Validator(schema, registry=registry, format_checker=oas30_format_checker)


def taken(envelope: object) -> bool:
    try:
        read_events(json.dumps(envelope).encode(), accept_advertiser_tracking=False)
    except SchemaError:
        return False
    return True


def names_nobody(event: object) -> bool:
    """Identity members are there but empty: here the sandbox is stricter than the schema, on purpose."""
    user = event.get("user_data") if isinstance(event, dict) else None
    if not isinstance(user, dict):
        return False
    return not (
        user.get("em") or user.get("hashed_maids") or (user.get("client_ip_address") and user.get("client_user_agent"))
    )


thorough = settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@thorough
@given(events | mutated())
def test_one_event(published, event):
    envelope = {"data": [event]}
    agreed = published.is_valid(envelope) and not names_nobody(event)
    assert taken(envelope) == agreed


@settings(max_examples=200, deadline=None)
@given(st.lists(events | mutated(), max_size=3), st.dictionaries(text, anything, max_size=1))
def test_the_envelope(published, several, more):
    envelope = {**more, "data": several}
    agreed = published.is_valid(envelope) and not any(map(names_nobody, several))
    assert taken(envelope) == agreed


def test_the_number_of_events(published):
    event = {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": 1,
        "event_id": "a",
        "user_data": {"em": ["b"]},
    }
    for count in (0, 1, 1000, 1001):
        envelope = {"data": [event] * count}
        assert taken(envelope) == published.is_valid(envelope) == (1 <= count <= 1000)


def test_every_published_member_is_generated(published):
    """A member the generators do not know would never be compared."""
    document = json.loads(Path(PUBLISHED).read_text())
    schemas = document["components"]["schemas"]
    event = schemas["ConversionEvents"]["properties"]["data"]["items"]["properties"]
    required = {"event_name", "action_source", "event_time", "event_id", "user_data"}
    assert set(event) == set(EVENT) | required
    assert set(event["custom_data"]["properties"]) == set(CUSTOM_DATA)
    assert set(event["custom_data"]["properties"]["contents"]["items"]["properties"]) == set(CONTENT)
    assert set(schemas["ConversionEventAppInfo"]["properties"]) == set(APP_INFO)
    assert set(schemas["ConversionEventDeviceInfo"]["properties"]) == set(DEVICE_INFO)
    assert set(schemas["ConversionEventsUserDataProperties"]["properties"]) == set(USER_DATA)

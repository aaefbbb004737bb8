"""The sandbox takes and refuses what Pinterest's published schema takes and refuses, member by member.

Set ``PINYON_PUBLISHED_SCHEMA`` to the file of Pinterest's OpenAPI description as JSON (5.23.0 was used), or to
a part of it that has the schema ConversionEvents.
"""

import json
import os
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4
from sandbox_calls import DIGEST, event

from pinyon.sandbox.schema import SchemaError, read_events

FILE = os.environ.get("PINYON_PUBLISHED_SCHEMA", "")

pytestmark = pytest.mark.skipif(
    not FILE, reason="PINYON_PUBLISHED_SCHEMA is not set: the sandbox is NOT compared with the published schema"
)

# Numbers like 1.0 are left out: whether they are integers differs between editions of JSON Schema.
ODD = [None, True, False, 0, 1, -1, 1.5, 2**63 - 1, 2**63, -(2**63) - 1, 2**70]
ODD += ["", "x", [], ["x"], ["x", "y"], [None], [1], [[]], [{}], {}, {"x": 1}]


class Published:
    """The published schema, and the objects in it by their path from the event."""

    def __init__(self, document: dict) -> None:
        resource = Resource.from_contents(document, default_specification=DRAFT4)
        registry = Registry().with_resource("urn:pinterest", resource)
        schema = {"$ref": "urn:pinterest#/components/schemas/ConversionEvents"}
        self._validator = OAS30Validator(schema, registry=registry, format_checker=oas30_format_checker)
        schemas = document["components"]["schemas"]
        members = schemas["ConversionEvents"]["properties"]["data"]["items"]["properties"]
        custom_data = members["custom_data"]["properties"]
        self.objects = {
            (): members,
            ("user_data",): schemas["ConversionEventsUserDataProperties"]["properties"],
            ("custom_data",): custom_data,
            ("custom_data", "contents", 0): custom_data["contents"]["items"]["properties"],
            ("app_info",): schemas["ConversionEventAppInfo"]["properties"],
            ("device_info",): schemas["ConversionEventDeviceInfo"]["properties"],
        }
        self.changes = [
            (path, name, value)
            for path, properties in self.objects.items()
            for name, rules in {**properties, "another": {}}.items()
            for value in ODD + at_the_limits(rules)
        ]

    def takes(self, envelope: object) -> bool:
        return self._validator.is_valid(envelope)


def at_the_limits(rules: dict) -> list[object]:
    values = [*rules.get("enum", []), *(word.upper() for word in rules.get("enum", []))]
    if limit := rules.get("maxLength"):
        values += ["x" * limit, "😀" * limit, "x" * (limit + 1)]
    if limit := rules.get("maxItems"):
        values += [["x"] * limit, ["x"] * (limit + 1)]
    for name in ("minimum", "maximum"):
        if name in rules:
            values += [rules[name] - 1, rules[name], rules[name] + 1]
    return values


@pytest.fixture(scope="module")
def published() -> Published:
    return Published(json.loads(Path(FILE).read_text()))


def changed(whole: dict, path: tuple, name: str, value: object) -> dict:
    """The event with one member set; the event itself when an earlier change took the place of the path."""
    copy = deepcopy(whole)
    place = copy
    try:
        for step in path:
            place = place[step]
        place[name] = value
    except (TypeError, KeyError, IndexError):
        return whole
    return copy


def plain() -> dict:
    return event(custom_data={"contents": [{}]}, app_info={}, device_info={})


def sandbox_takes(envelope: object) -> bool:
    try:
        read_events(json.dumps(envelope).encode(), accept_advertiser_tracking=False)
    except SchemaError:
        return False
    return True


def identifies(whole: dict) -> bool:
    """False for identity that is there but empty: the schema takes it, the sandbox refuses it on purpose."""
    user = whole["user_data"]
    if not isinstance(user, dict):
        return True
    pair = user.get("client_ip_address") and user.get("client_user_agent")
    return bool(user.get("em") or user.get("hashed_maids") or pair)


def test_each_member_with_each_odd_value(published):
    cases = [{"data": [changed(plain(), *change)]} for change in published.changes]
    verdicts = [published.takes(case) and identifies(case["data"][0]) for case in cases]
    assert verdicts.count(True) > 200
    assert verdicts.count(False) > 1000
    differing = [
        change
        for change, case, verdict in zip(published.changes, cases, verdicts, strict=True)
        if sandbox_takes(case) != verdict
    ]
    assert differing == []


def test_each_member_left_out(published):
    for name in plain():
        whole = plain()
        del whole[name]
        assert sandbox_takes({"data": [whole]}) == published.takes({"data": [whole]}), name


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_several_changes_at_once(published, data):
    whole = plain()
    for change in data.draw(st.lists(st.sampled_from(published.changes), max_size=4)):
        whole = changed(whole, *change)
    verdict = published.takes({"data": [whole]}) and identifies(whole)
    assert sandbox_takes({"data": [whole]}) == verdict


@pytest.mark.parametrize("left_out", ["em", "hashed_maids", "client_ip_address", "client_user_agent"])
def test_who_is_identified(published, left_out):
    everything = {"em": [DIGEST], "hashed_maids": [DIGEST], "client_ip_address": "a", "client_user_agent": "b"}
    for only, value in everything.items():
        for user in ({only: value}, {k: v for k, v in everything.items() if k not in (only, left_out)}):
            envelope = {"data": [event(user_data={**user, "ph": [DIGEST]})]}
            assert sandbox_takes(envelope) == published.takes(envelope), user


@pytest.mark.parametrize("count", [0, 1, 1000, 1001])
def test_the_number_of_events(published, count):
    envelope = {"data": [plain()] * count}
    assert sandbox_takes(envelope) == published.takes(envelope)


@pytest.mark.parametrize("envelope", [*ODD, {"data": None}, {"data": {}}, {"data": [plain()], "x": 1}, {"data": [[]]}])
def test_the_envelope(published, envelope):
    assert sandbox_takes(envelope) == published.takes(envelope)

"""Whether Pinterest would take these events: judged by outside contracts, never by our own code.

Three judges: the models of PyPI ``pinterestsdk`` 2.1.0, generated from 5.28.0 of Pinterest's API description; the
published description itself, where ``PINYON_PUBLISHED_SCHEMA`` names its file (5.23.0 was used); and what neither of
them says, written down here: no empty members, known names, digests that are digests.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Protocol

from openapi_schema_validator import OAS30Validator, oas30_format_checker
from pydantic import ValidationError
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

#: Members of ``user_data`` that hold SHA-256 digests. Source: API description 5.23.0.
HASHED: Final = frozenset(
    ("em", "hashed_maids", "ph", "ge", "db", "fn", "ln", "ct", "st", "zp", "country", "external_id")
)

# Source: API description 5.28.0, event_name and action_source.
_NAME_TABLE: Final = """
    add_payment_info add_to_cart add_to_wishlist app_install app_open checkout contact custom customize_product
    find_location initiate_checkout lead page_visit schedule search signup start_trial submit_application subscribe
    view_category view_content watch_video
"""
_NAMES: Final = frozenset(_NAME_TABLE.split())
_ACTION_SOURCES: Final = frozenset({"web", "app_ios", "app_android", "offline"})
_DIGEST: Final = re.compile(r"[0-9a-f]{64}").fullmatch
_DIGEST_OF_NOTHING: Final = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?").fullmatch
_CURRENCY: Final = re.compile(r"[A-Z]{3}").fullmatch


class ContractBroken(AssertionError):
    """An event that Pinterest would refuse, or that nobody should be sent."""


def check_payloads(events: Sequence[dict[str, Any]], clear: Sequence[str] = ()) -> None:
    """Raises ``ContractBroken`` unless Pinterest would take all of these as the ``data`` of one request.

    ``clear`` are texts that must not stand anywhere in the events: identifiers as they came in.
    """
    complaints = [*_by_models(events), *_by_published_schema(events)]
    for index, event in enumerate(events):
        complaints += [f"data[{index}]: {complaint}" for complaint in _by_sense(event)]
        written = json.dumps(event, ensure_ascii=False).lower()
        complaints += [f"data[{index}] holds {text!r} in clear" for text in clear if text.lower() in written]
    if complaints:
        raise ContractBroken("\n".join(complaints))


def check_body(body: bytes, clear: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The events of a request's body, checked. Raises ``ContractBroken``."""
    envelope = json.loads(body)
    if not isinstance(envelope, dict) or set(envelope) != {"data"}:
        raise ContractBroken('the body is not {"data": [...]}')
    events: list[dict[str, Any]] = envelope["data"]
    check_payloads(events, clear)
    return events


def _by_models(events: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The models drop what they do not know without a word, so what they kept is compared with what they were given."""
    envelope = {"data": list(events)}
    try:
        read = _request_model().model_validate(envelope)
    except ValidationError as error:
        yield f"pinterestsdk: {error}"
        return
    kept = read.model_dump(mode="json", by_alias=True, exclude_unset=True)["data"]
    for index, (event, left) in enumerate(zip(events, kept, strict=True)):
        if left != event:
            yield f"data[{index}]: pinterestsdk dropped or changed members. Given: {event} Kept: {left}"


@functools.cache
def _request_model() -> Any:
    """The model of the request: ``ConversionEvents`` of 2.1.0 is, against its name, that of the answer.

    The package imports all its 1,100 models when any is asked for, which takes seconds and 100 MB. Empty packages in
    the place of it and of its folder of models, for as long as this import lasts, leave the dozen that are needed.
    """
    found = find_spec("pinterestsdk")
    assert found is not None
    assert found.submodule_search_locations is not None
    root = found.submodule_search_locations[0]
    hollow = {"pinterestsdk": root, "pinterestsdk.models": f"{root}/models"}
    before = {name: sys.modules.pop(name) for name in hollow if name in sys.modules}
    try:
        for name, path in hollow.items():
            package = ModuleType(name)
            package.__path__ = [path]
            sys.modules[name] = package
        return importlib.import_module("pinterestsdk.models.conversion_events_create").ConversionEventsCreate
    finally:
        for name in hollow:
            del sys.modules[name]
        sys.modules.update(before)


class _Validator(Protocol):
    def iter_errors(self, instance: object) -> Iterator[Any]: ...


def _by_published_schema(events: Sequence[dict[str, Any]]) -> Iterator[str]:
    validator = _published_schema()
    if validator is not None:
        for error in validator.iter_errors({"data": list(events)}):
            yield f"published schema: {error.json_path}: {error.message}"


@functools.cache
def _published_schema() -> _Validator | None:
    path = os.environ.get("PINYON_PUBLISHED_SCHEMA")
    if not path:
        return None
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    registry: Any = Registry()
    registry = registry.with_resource("urn:pinterest", Resource.from_contents(document, default_specification=DRAFT4))
    schema = {"$ref": "urn:pinterest#/components/schemas/ConversionEvents"}
    validator: _Validator = OAS30Validator(schema, registry=registry, format_checker=oas30_format_checker)
    return validator


def _by_sense(event: dict[str, Any]) -> Iterator[str]:
    yield from (f"{path} is empty" for path in _empty(event, ""))
    if event.get("event_name") not in _NAMES:
        yield f"event_name {event.get('event_name')!r} is not one of Pinterest's"
    if event.get("action_source") not in _ACTION_SOURCES:
        yield f"action_source is {event.get('action_source')!r}"
    moment = event.get("event_time")
    if type(moment) is not int or not 1e9 <= moment < 1e10:
        yield f"event_time is not a time in seconds: {moment!r}"
    yield from _of_user(event.get("user_data", {}))
    yield from _of_custom_data(event.get("custom_data", {}))


def _empty(value: Any, path: str) -> Iterator[str]:
    if value is None or value in ("", [], {}):
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in children:
        yield from _empty(inner, f"{path}.{name}")


def _of_user(user: dict[str, Any]) -> Iterator[str]:
    if not ("em" in user or "hashed_maids" in user or {"client_ip_address", "client_user_agent"} <= set(user)):
        yield "user_data has no identity that Pinterest accepts"
    for name in HASHED & set(user):
        values = user[name]
        if not isinstance(values, list) or not all(isinstance(value, str) and _DIGEST(value) for value in values):
            yield f"user_data.{name} is not a list of SHA-256 digests in lower-case hex"
        elif _DIGEST_OF_NOTHING in values or len(set(values)) != len(values):
            yield f"user_data.{name} holds the digest of nothing, or one twice"


def _of_custom_data(data: dict[str, Any]) -> Iterator[str]:
    amounts = [data.get("value"), data.get("predicted_ltv")]
    amounts += [content.get("item_price") for content in data.get("contents", [])]
    for amount in amounts:
        if amount is not None and not (isinstance(amount, str) and _DECIMAL(amount)):
            yield f"an amount is not decimal text: {amount!r}"
    if "currency" in data and not (isinstance(data["currency"], str) and _CURRENCY(data["currency"])):
        yield f"custom_data.currency is {data['currency']!r}"
    counts = [data.get("num_items"), *(content.get("quantity") for content in data.get("contents", []))]
    for count in counts:
        if count is not None and not (type(count) is int and 0 <= count < 2**63):
            yield f"a count is no 64-bit integer: {count!r}"

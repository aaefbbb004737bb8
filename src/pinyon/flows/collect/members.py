"""The rules for one event: enough to know what it is and whose, and nothing more."""

from __future__ import annotations

from secrets import token_hex
from typing import Any, Final

import msgspec
from msgspec import Struct

from pinyon.domain.chunk import EVENT_TYPES, ReceivedEvent
from pinyon.domain.errors import RequestRefused
from pinyon.domain.posthog import event_type
from pinyon.flows.collect.envelope import Envelope
from pinyon.flows.collect.faults import (
    EVENT_NAME_MISSING,
    EVENT_TOO_LARGE,
    GROUP_ID_MISSING,
    IDS_MISSING,
    MESSAGE_ID_INVALID,
    NOT_AN_OBJECT,
    PREVIOUS_ID_MISSING,
    TOO_DEEP,
    TYPE_MISSING,
    TYPE_UNKNOWN,
    Fault,
)
from pinyon.flows.collect.repair import CUT, repair

MAX_MESSAGE_ID: Final = 256  # characters


class Flaw(Struct, frozen=True):
    """A member that is not accepted."""

    fault: Fault
    message_id: str | None
    body: bytes


class _Head(Struct, gc=False, rename="camel"):
    type: Any = None
    event: Any = None
    message_id: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    group_id: Any = None
    previous_id: Any = None


class _PostHogHead(Struct, gc=False):
    event: Any = None
    uuid: Any = None
    distinct_id: Any = None


class _PostHogProperties(Struct, gc=False):
    distinct_id: Any = None


class _PostHogBody(Struct, gc=False):
    properties: _PostHogProperties


_decode_head: Final = msgspec.json.Decoder(_Head).decode
_decode_posthog_head: Final = msgspec.json.Decoder(_PostHogHead).decode
_decode_posthog_body: Final = msgspec.json.Decoder(_PostHogBody).decode


def sort(envelope: Envelope, max_event_bytes: int) -> tuple[list[ReceivedEvent], list[Flaw]]:
    """The good events and the bad members, each in the order of the request."""
    events: list[ReceivedEvent] = []
    flaws: list[Flaw] = []
    posthog = envelope.dialect == "posthog"
    for member in envelope.members:
        body = bytes(member)
        if len(body) > max_event_bytes:
            flaws.append(_flaw(EVENT_TOO_LARGE, envelope, body))
        elif envelope.cut and CUT in body:
            flaws.append(_flaw(TOO_DEEP, envelope, body))
        else:
            read = _read_posthog(body) if posthog else _read_segment(body, envelope.named_type)
            if isinstance(read, ReceivedEvent):
                events.append(read)
            else:
                flaws.append(_flaw(read, envelope, body))
    return events, flaws


def _read_segment(body: bytes, named_type: str | None) -> ReceivedEvent | Fault:
    try:
        head = _decode_head(body)
    except msgspec.DecodeError:
        repaired = _repaired_head(body, _decode_head)
        if repaired is None:
            return NOT_AN_OBJECT
        head, body = repaired
    kind = named_type or head.type
    message_id = _message_id(head.message_id)
    if message_id is None:
        return MESSAGE_ID_INVALID
    fault = _segment_fault(kind, head)
    return ReceivedEvent(kind, message_id, body) if fault is None else fault


def _segment_fault(kind: Any, head: _Head) -> Fault | None:
    if kind is None or kind == "":
        return TYPE_MISSING
    if type(kind) is not str or kind not in EVENT_TYPES:
        return TYPE_UNKNOWN
    if not (_is_id(head.user_id) or _is_id(head.anonymous_id)):
        return IDS_MISSING
    if kind == "track":
        name = head.event
        return None if type(name) is str and name and not name.isspace() else EVENT_NAME_MISSING
    if kind == "group":
        return None if _is_id(head.group_id) else GROUP_ID_MISSING
    if kind == "alias":
        return None if _is_id(head.previous_id) else PREVIOUS_ID_MISSING
    return None


def _read_posthog(body: bytes) -> ReceivedEvent | Fault:
    try:
        head = _decode_posthog_head(body)
    except msgspec.DecodeError:
        repaired = _repaired_head(body, _decode_posthog_head)
        if repaired is None:
            return NOT_AN_OBJECT
        head, body = repaired
    message_id = _message_id(head.uuid)
    if message_id is None:
        return MESSAGE_ID_INVALID
    name = head.event
    if type(name) is not str or not name or name.isspace():
        return EVENT_NAME_MISSING
    if not (_is_id(head.distinct_id) or _is_id(_inner_distinct_id(body))):
        return IDS_MISSING
    return ReceivedEvent(event_type(name), message_id, body)


def _inner_distinct_id(body: bytes) -> Any:
    """The id inside the properties, where PostHog's browser client has it."""
    try:
        return _decode_posthog_body(body).properties.distinct_id
    except msgspec.DecodeError:
        return None


def _repaired_head(body: bytes, decode: Any) -> tuple[Any, bytes] | None:
    """The head of a member with a number out of range where the head is read; None when it is not an object."""
    try:
        body = repair(body)
        return decode(body), body
    except (msgspec.DecodeError, RequestRefused):
        return None


def _message_id(value: Any) -> str | None:
    """The id as text, a fresh one where there is none; None for what cannot be an id.

    PostgreSQL stores no text with a NUL in it.
    """
    if value is None or value == "":
        return token_hex(16)
    if type(value) is int or type(value) is float:
        value = str(value)
    return value if type(value) is str and len(value) <= MAX_MESSAGE_ID and "\0" not in value else None


def _is_id(value: Any) -> bool:
    """Whether this can name a person or a group; clients send an empty text for "nobody"."""
    kind = type(value)
    return bool(value) if kind is str else kind is int or kind is float


def _flaw(fault: Fault, envelope: Envelope, body: bytes) -> Flaw:
    """The flaw, with the member's message id where it can be read."""
    try:
        value = _decode_posthog_head(body).uuid if envelope.dialect == "posthog" else _decode_head(body).message_id
    except (msgspec.DecodeError, RecursionError):
        value = None
    return Flaw(fault, _message_id(value) if value else None, body)

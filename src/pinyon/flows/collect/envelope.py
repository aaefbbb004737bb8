"""What surrounds the events of a request. The events themselves stay bytes."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import Raw, Struct, field

from pinyon.domain.event_time import parse_time
from pinyon.flows.collect.faults import BATCH_MISSING, MALFORMED_JSON, TOO_DEEP
from pinyon.flows.collect.repair import CUT, repair

Dialect = Literal["segment", "posthog"]


class Envelope(Struct, frozen=True):
    """An opened body."""

    dialect: Dialect
    members: list[bytes] | list[Raw]  # one JSON value each
    write_key: str | None  # where the body carries one
    sent_at: float | None  # seconds since the epoch, the client's clock
    named_type: str | None = None  # the type that the path gives; the event is then the only one
    cut: bool = False  # whether a member may hold ``CUT``


class _Batch(Struct, gc=False):
    batch: list[Raw] | None = None
    write_key: Any = field(default=None, name="writeKey")
    api_key: Any = None
    sent_at: Any = field(default=None, name="sentAt")
    sent_at_snake: Any = field(default=None, name="sent_at")


class _Single(Struct, gc=False, rename="camel"):
    write_key: Any = None
    sent_at: Any = None


_decode_batch: Final = msgspec.json.Decoder(_Batch).decode
_decode_single: Final = msgspec.json.Decoder(_Single).decode


def open_batch(body: bytes, dialect: Dialect = "segment", sent_at: str | None = None) -> Envelope:
    """The envelope of many events; ``sent_at`` is the client's time where the body does not carry it.

    Raises ``RequestRefused`` (malformed_json, too_deep, batch_missing).
    """
    _check_text(body)
    cut = False
    try:
        batch = _decode_batch(body)
    except (msgspec.DecodeError, RecursionError):
        body = repair(body)
        cut = CUT in body
        batch = _decode_repaired_batch(body)
    if batch.batch is None:
        raise BATCH_MISSING.refusal()
    return Envelope(
        dialect=dialect,
        members=batch.batch,
        write_key=_text(batch.write_key) or _text(batch.api_key),
        sent_at=parse_time(batch.sent_at or batch.sent_at_snake or sent_at),
        cut=cut,
    )


def open_event(body: bytes, named_type: str) -> Envelope:
    """The envelope of one event whose type the path gives.

    Raises ``RequestRefused`` (malformed_json, too_deep).
    """
    _check_text(body)
    cut = False
    try:
        single = _decode_single(body)
    except (msgspec.DecodeError, RecursionError):
        body = repair(body)
        cut = CUT in body
        single = _decode_repaired_single(body)
    return Envelope(
        dialect="segment",
        members=[body],
        write_key=_text(single.write_key),
        sent_at=parse_time(single.sent_at),
        named_type=named_type,
        cut=cut,
    )


def _check_text(body: bytes) -> None:
    """Refuses what is not UTF-8: the decoder checks only the texts it keeps, and what is stored must stay readable."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise MALFORMED_JSON.refusal(f"{error.reason}: byte {error.start}.") from error


def _decode_repaired_batch(body: bytes) -> _Batch:
    try:
        return _decode_batch(body)
    except msgspec.DecodeError as error:
        raise BATCH_MISSING.refusal() from error
    except RecursionError as error:
        raise TOO_DEEP.refusal() from error


def _decode_repaired_single(body: bytes) -> _Single:
    try:
        return _decode_single(body)
    except msgspec.DecodeError:
        return _Single()  # not an object; it is refused, and recorded, as a member
    except RecursionError as error:
        raise TOO_DEEP.refusal() from error


def _text(value: Any) -> str | None:
    return value if type(value) is str and value else None

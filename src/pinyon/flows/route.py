"""Routing: what one destination is to get of the events of a chunk, and why it gets no more.

    decode -> fix the clock -> consent -> trigger -> default fields, normalised and hashed -> the vendor's form

``judge`` is the whole rule for one event; the lanes, ``pinyon preview`` and ``pinyon explain`` all ask it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from pinyon.domain import consent, mapping, posthog
from pinyon.domain.chunk import Chunk, ReceivedEvent, Submission
from pinyon.domain.consent import ConsentPolicy, Receipt
from pinyon.domain.event import Event, Undecodable, event_from, read_event, read_object
from pinyon.domain.lane import ExceptionRow, Place
from pinyon.domain.mapping import MappingRule, Origin
from pinyon.domain.registry import Destination, Source
from pinyon.ports.destination import Connection, DestinationType, Withheld

_NAME_LIMIT: Final = 120


class Ready(Struct, gc=False):
    """An event in the vendor's form."""

    name: str  # the vendor's event name
    event_id: str
    order_id: str
    payload: bytes
    receipt: Receipt


class Stopped(Struct, gc=False, frozen=True):
    """An event that goes no further."""

    state: str  # "withheld" or "dead"
    cause: str
    detail: str
    name: str = ""
    receipt: Receipt | None = None


class Routed(Struct, gc=False):
    """A ready event and where it stands in the log."""

    place: Place
    source_id: str
    message_id: str
    received_at: float
    key: bytes
    ready: Ready


class Unit(Struct):
    """What a lane does in one go: whole chunks, so that its position is always between two chunks."""

    through: int
    routed: list[Routed]
    exceptions: list[ExceptionRow]
    passed_over: int = 0  # events of sources that the destination does not listen to


UNDECODABLE: Final = Stopped("dead", "undecodable", "The stored event is not valid JSON, or is nested too deeply.")


class Router:
    """The compiled rules of one destination."""

    def __init__(
        self, destination: Destination, kind: DestinationType, connection: Connection, sources: Sequence[Source]
    ) -> None:
        self.destination = destination
        self.connection = connection
        preset = next(preset for preset in kind.presets if preset.name == destination.preset)
        self._preset = preset.name
        self._match = mapping.compile_rules(preset.rules)
        attached = [source for source in sources if source.id in destination.source_ids]
        categories = tuple(category.lower() for category in destination.consent_categories)
        self._sources = {source.id: source for source in attached}
        self._policies = {source.id: ConsentPolicy(categories, source.consent_default) for source in attached}

    def origin(self, submission: Submission) -> Origin | None:
        """None when the destination does not listen to the submission's source."""
        source = self._sources.get(submission.source_id)
        return mapping.origin_of(submission, source) if source is not None else None

    def route(self, chunks: Sequence[Chunk], duplicates: Sequence[frozenset[int]], now: float) -> Unit:
        """``duplicates`` has the indexes of each chunk's duplicates, same order and length as ``chunks``."""
        unit = Unit(chunks[-1].header.seq, [], [])
        for chunk, repeated in zip(chunks, duplicates, strict=True):
            self._route_chunk(unit, chunk, repeated, now)
        return unit

    def _route_chunk(self, unit: Unit, chunk: Chunk, repeated: frozenset[int], now: float) -> None:
        seq, keys = chunk.header.seq, chunk.header.keys
        index = -1
        for submission in chunk.submissions:
            origin = self.origin(submission)
            if origin is None:
                index += len(submission.events)
                unit.passed_over += len(submission.events)
                continue
            for received in submission.events:
                index += 1
                if index in repeated:
                    row = _exception(Place(seq, index), submission, received, DUPLICATE, now)
                    unit.exceptions.append(row)
                    continue
                verdict = self.judge(received, submission.dialect, origin, now)
                if isinstance(verdict, Ready):
                    key = keys[index * 8 : index * 8 + 8]
                    place = Place(seq, index)
                    unit.routed.append(
                        Routed(place, submission.source_id, received.message_id, submission.received_at, key, verdict)
                    )
                else:
                    row = _exception(Place(seq, index), submission, received, verdict, now)
                    unit.exceptions.append(row)

    def judge(self, received: ReceivedEvent, dialect: str, origin: Origin, now: float) -> Ready | Stopped:
        """The whole rule for one event. Total: an event can be withheld or dead, but never an exception."""
        try:
            event = read(received, dialect)
        except Undecodable:
            return UNDECODABLE
        rule = self._match(event)
        if rule is None:
            return self._unmapped(event)
        receipt = consent.decide(event.context.consent.category_preferences, self._policies[origin.source.id])
        if not receipt.granted:
            return Stopped("withheld", "consent", receipt.sentence, rule.name, receipt)
        return self._build(event, received, rule, receipt, origin, now)

    def _build(
        self, event: Event, received: ReceivedEvent, rule: MappingRule, receipt: Receipt, origin: Origin, now: float
    ) -> Ready | Stopped:
        cleared = mapping.clear(
            event,
            message_id=received.message_id,
            name=rule.name,
            receipt=receipt,
            origin=origin,
            forms=self.connection.forms,
        )
        payload = self.connection.encode(cleared, now)
        if isinstance(payload, Withheld):
            return Stopped("withheld", payload.cause, payload.detail, rule.name, receipt)
        return Ready(
            rule.name,
            cleared.event_id,
            (cleared.commerce.order_id if cleared.commerce is not None else None) or "",
            payload,
            receipt,
        )

    def rule_for(self, event: Event) -> MappingRule | None:
        return self._match(event)

    def _unmapped(self, event: Event) -> Stopped:
        name = event.event if isinstance(event.event, str) else ""
        what = f'{event.type} events named "{name[:_NAME_LIMIT]}"' if name else f"{event.type} events"
        return Stopped("withheld", "unmapped", f'No mapping of the preset "{self._preset}" fires on {what}.')


DUPLICATE: Final = Stopped(
    "duplicate", "message_id_seen", "The same source sent an event with this message id before; that one counts."
)


def read(received: ReceivedEvent, dialect: str) -> Event:
    """The event in Segment's form. Raises ``Undecodable``."""
    if dialect == "posthog":
        return event_from(posthog.to_segment(read_object(received.body)))
    event = read_event(received.body)
    if event.type != received.type:
        msgspec.structs.force_setattr(event, "type", received.type)
    return event


def _exception(
    place: Place, submission: Submission, received: ReceivedEvent, stopped: Stopped, now: float
) -> ExceptionRow:
    return ExceptionRow(
        place=place,
        source_id=submission.source_id,
        message_id=received.message_id,
        state=stopped.state,  # type: ignore[arg-type]
        cause=stopped.cause,
        detail=stopped.detail,
        event_name=stopped.name or received.type,
        event_id=received.message_id,
        order_id="",
        received_at=submission.received_at,
        recorded_at=now,
    )

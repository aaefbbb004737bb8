"""The trace of an event, put together from the log and the records.

The log has the event, the Exception rows and outcome records say what became of it, and what lies between is asked of
the same rules that routed it. An event whose chunk is gone is explained from the records alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from pinyon.domain import consent
from pinyon.domain.chunk import KEY_BYTES, Chunk, ReceivedEvent, Rejection, Submission, event_key
from pinyon.domain.delivery import Attempt
from pinyon.domain.event import Event, Undecodable
from pinyon.domain.lane import REFERENCE_BYTES, ExceptionRow, Lane, OutcomeRecord, Place, reference
from pinyon.domain.mapping import Origin, clear, occurred_at
from pinyon.domain.mapping.findings import findings
from pinyon.domain.registry import Destination, Registry, Workspace
from pinyon.domain.trace import DestinationTrace, Stage, Trace
from pinyon.flows.dispatch import Kinds
from pinyon.flows.route import Ready, Router, read
from pinyon.ports.event_log import EventLog
from pinyon.ports.lanes import Lanes

#: Unread events that are searched for an order id.
SEARCHED: Final = 20_000


class Explain:
    def __init__(self, log: EventLog, lanes: Lanes, kinds: Kinds) -> None:
        self._log = log
        self._lanes = lanes
        self._kinds = kinds

    async def traces(self, registry: Registry, text: str) -> list[Trace]:
        """All events whose message id, event id or order id is ``text``, oldest first; empty when there is none."""
        lanes = {lane.destination_id: lane for lane in await self._lanes.all()}
        found: list[Trace] = []
        for workspace in registry.workspaces:
            search = _Search(self, registry, workspace, lanes)
            found += await search.run(text)
        return found


class _Search:
    """One look for one text in one workspace."""

    def __init__(self, explain: Explain, registry: Registry, workspace: Workspace, lanes: dict[str, Lane]) -> None:
        self._log = explain._log  # noqa: SLF001  # the search is a part of Explain
        self._lanes = explain._lanes  # noqa: SLF001
        self._kinds = explain._kinds  # noqa: SLF001
        self._workspace = workspace
        self._sources = {source.id: source for source in registry.sources if source.workspace_id == workspace.id}
        own = [entry for entry in registry.destinations if entry.workspace_id == workspace.id]
        self._destinations = [(entry, lanes[entry.id]) for entry in own if entry.id in lanes]

    async def run(self, text: str) -> list[Trace]:
        places = await self._places(text)
        traces = [trace for place in sorted(places) if (trace := await self._trace(place)) is not None]
        if not traces:
            traces = await self._from_records(text)
        refused = await self._log.rejections(self._workspace.id, message_id=text)
        return [*traces, *(self._of_rejection(rejection) for rejection in reversed(refused))]

    async def _places(self, text: str) -> set[Place]:
        """Where the event and its duplicates stand in the log."""
        places: set[Place] = set()
        for source_id in self._sources:
            for place in await self._log.find(self._workspace.id, event_key(source_id, text)):
                chunk = await self._chunk(place.seq)
                if chunk is not None and _at(chunk, place.index)[1].message_id == text:
                    places.add(place)
        for destination, lane in self._destinations:
            places |= {row.place for row in await self._lanes.find_exceptions(lane.id, text)}
            places |= await self._places_of_order(destination, lane, text)
        return places

    async def _places_of_order(self, destination: Destination, lane: Lane, order_id: str) -> set[Place]:
        wanted = reference(order_id)
        places: set[Place] = set()
        for record in await self._lanes.find_outcomes(lane.id, wanted):
            for key in _keys_with_order(record, wanted):
                for place in await self._log.find(self._workspace.id, key):
                    if record.first <= place <= record.last:
                        places.add(place)
        return places | await self._unread_orders(destination, lane, order_id)

    async def _unread_orders(self, destination: Destination, lane: Lane, order_id: str) -> set[Place]:
        """What waits in the lane has no record yet: the newest of it is read."""
        places: set[Place] = set()
        position, searched = lane.position, 0
        while searched < SEARCHED:
            headers = await self._log.headers(self._workspace.id, after=position, limit=16)
            if not headers:
                break
            for chunk in await self._log.read(self._workspace.id, after=position, through=headers[-1].seq):
                searched += chunk.header.events
                for index, (submission, received) in enumerate(_events(chunk)):
                    if submission.source_id in destination.source_ids and _order_of(received, submission) == order_id:
                        places.add(Place(chunk.header.seq, index))
            position = headers[-1].seq
        return places

    async def _chunk(self, seq: int) -> Chunk | None:
        chunks = await self._log.read(self._workspace.id, after=seq - 1, through=seq)
        return chunks[0] if chunks else None

    async def _trace(self, place: Place) -> Trace | None:
        chunk = await self._chunk(place.seq)
        if chunk is None:
            return None
        submission, received = _at(chunk, place.index)
        source = self._sources.get(submission.source_id)
        stages = [_received(submission, received, place)]
        destinations = [
            await self._at_destination(destination, lane, place, submission, received)
            for destination, lane in self._destinations
            if submission.source_id in destination.source_ids
        ]
        return Trace(received.message_id, self._workspace.name, source.name if source else "", stages, destinations)

    async def _at_destination(
        self, destination: Destination, lane: Lane, place: Place, submission: Submission, received: ReceivedEvent
    ) -> DestinationTrace:
        row = await self._lanes.exception_at(lane.id, place)
        record = await self._lanes.outcome_at(lane.id, place) if row is None else None
        if place.seq <= lane.start:
            stage = Stage("state", "The destination was added later; a replay would send it.")
            return DestinationTrace(destination.name, "withheld", [stage])
        stages = [_deduplicated(row)]
        if row is None or row.state != "duplicate":
            router = self._kinds.router(destination, tuple(self._sources.values()))
            stages += _judged(router, submission, received)
        attempts = row.attempts if row is not None else record.attempts if record is not None else []
        stages += [_attempted(attempt) for attempt in attempts]
        state = row.state if row is not None else "delivered" if place.seq <= lane.position else "waiting"
        return DestinationTrace(destination.name, state, [*stages, _final(state, row, record, lane)])

    async def _from_records(self, text: str) -> list[Trace]:
        """What is still known of an event whose chunk was deleted."""
        traces: list[Trace] = []
        keys = [event_key(source_id, text) for source_id in self._sources]
        for destination, lane in self._destinations:
            for row in await self._lanes.find_exceptions(lane.id, text):
                stages = [*(_attempted(attempt) for attempt in row.attempts), _final(row.state, row, None, lane)]
                source = self._sources.get(row.source_id)
                known = DestinationTrace(destination.name, row.state, stages)
                traces.append(
                    Trace(row.message_id, self._workspace.name, source.name if source else "", [_GONE], [known])
                )
            for wanted in (*keys, reference(text)):
                for record in await self._lanes.find_outcomes(lane.id, wanted):
                    stages = [*(_attempted(a) for a in record.attempts), _final("delivered", None, record, lane)]
                    known = DestinationTrace(destination.name, "delivered", stages)
                    traces.append(Trace(text, self._workspace.name, "", [_GONE], [known]))
        return traces

    def _of_rejection(self, rejection: Rejection) -> Trace:
        source = self._sources.get(rejection.source_id)
        stage = Stage(
            "invalid",
            f"Received at {_time(rejection.received_at)} and refused: {rejection.detail}",
            {"code": rejection.code},
        )
        return Trace(rejection.message_id or "", self._workspace.name, source.name if source else "", [stage])


_GONE: Final = Stage("received", "The event itself is no longer in the log: its retention is over.")


def _events(chunk: Chunk) -> Iterator[tuple[Submission, ReceivedEvent]]:
    for submission in chunk.submissions:
        for event in submission.events:
            yield submission, event


def _at(chunk: Chunk, index: int) -> tuple[Submission, ReceivedEvent]:
    for number, found in enumerate(_events(chunk)):
        if number == index:
            return found
    raise IndexError(index)


def _keys_with_order(record: OutcomeRecord, wanted: bytes) -> Iterator[bytes]:
    """Deduplication keys of the record's events that have this order reference."""
    entry = KEY_BYTES + REFERENCE_BYTES
    for start in range(0, len(record.references), entry):
        if record.references[start + KEY_BYTES : start + entry] == wanted:
            yield record.references[start : start + KEY_BYTES]


def _order_of(received: ReceivedEvent, submission: Submission) -> str | None:
    try:
        properties = read(received, submission.dialect).properties
    except Undecodable:
        return None
    order_id = properties.order_id if properties.order_id is not None else properties.order_id_camel
    return str(order_id) if order_id is not None else None


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _received(submission: Submission, received: ReceivedEvent, place: Place) -> Stage:
    return Stage(
        "received",
        f"Received at {_time(submission.received_at)} as a {received.type} call.",
        {"type": received.type, "chunk": place.seq, "index": place.index, "bytes": len(received.body)},
    )


def _deduplicated(row: ExceptionRow | None) -> Stage:
    if row is not None and row.state == "duplicate":
        return Stage("deduplication", row.detail)
    return Stage("deduplication", "No event with this message id came from this source before.")


def _judged(router: Router, submission: Submission, received: ReceivedEvent) -> list[Stage]:
    """What the rules say of the event, as they are configured now."""
    origin = router.origin(submission)
    if origin is None:
        return []
    verdict = router.judge(received, submission.dialect, origin, submission.received_at)
    try:
        event = read(received, submission.dialect)
    except Undecodable:
        return [Stage("decoding", verdict.detail if not isinstance(verdict, Ready) else "")]
    stages = [_timed(event, origin)]
    rule = router.rule_for(event)
    if rule is None:
        return [*stages, Stage("mapping", verdict.detail if not isinstance(verdict, Ready) else "")]
    receipt = verdict.receipt or consent.NONE_NEEDED
    stages.append(Stage("mapping", f'Mapped to "{rule.name}" by: {rule.trigger}.', {"event_name": rule.name}))
    stages.append(Stage("consent", receipt.sentence, {"granted": receipt.granted, "signal": receipt.signal}))
    if not isinstance(verdict, Ready):
        return stages
    cleared = clear(event, message_id=received.message_id, name=rule.name, receipt=receipt, origin=origin)
    stages.append(_identified(cleared.identity))
    payload = router.connection.mask(verdict.payload)
    stages.append(Stage("payload", f"{len(verdict.payload)} bytes, identifiers shortened here.", payload))
    stages += [Stage("warning", sentence) for sentence in findings(event, cleared, origin)]
    return stages


def _timed(event: Event, origin: Origin) -> Stage:
    moment = occurred_at(event, origin)
    skew = None if origin.sent_at is None else round(origin.received_at - origin.sent_at, 3)
    note = "" if skew is None or abs(skew) < 1 else f" The client's clock differed by {skew:+.0f} s and was corrected."
    return Stage("time", f"Happened at {_time(moment)}.{note}", {"skew_seconds": skew})


def _identified(identity: object) -> Stage:
    names = [name for name in identity.__struct_fields__ if getattr(identity, name) is not None]  # type: ignore[attr-defined]
    found = ", ".join(name.replace("_", " ") for name in names) or "nothing"
    return Stage("identity", f"Identifiers found: {found}.", {"found": names})


def _attempted(attempt: Attempt) -> Stage:
    answer = f"HTTP {attempt.status}" if attempt.status else "no answer"
    return Stage(
        "attempt",
        f"Sent at {_time(attempt.at)}: {answer} after {attempt.seconds * 1000:.0f} ms ({attempt.result}).",
        {"status": attempt.status, "seconds": attempt.seconds, "reference": attempt.reference},
    )


def _final(state: str, row: ExceptionRow | None, record: OutcomeRecord | None, lane: Lane) -> Stage:
    if row is not None:
        words = f" {row.detail}" if row.detail else ""
        return Stage("state", f"{state}: {row.cause}.{words}", {"state": state, "cause": row.cause})
    if record is not None:
        sentence = f"delivered in a batch with {record.accepted} accepted events at {_time(record.recorded_at)}."
        return Stage("state", sentence, {"state": state})
    if state == "delivered":
        return Stage("state", "delivered; the record of its batch is no longer kept.", {"state": state})
    why = f" The destination is paused: {lane.paused}" if lane.paused else ""
    return Stage("state", f"waiting to be sent.{why}", {"state": state})

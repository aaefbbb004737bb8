"""What would be sent: one event through the rules of one destination, with no server and no network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from pinyon.domain import mapping
from pinyon.domain.chunk import ReceivedEvent, Submission
from pinyon.domain.errors import ConfigurationInvalid
from pinyon.domain.event import Undecodable
from pinyon.domain.event_time import parse_time
from pinyon.domain.mapping.findings import findings
from pinyon.domain.registry import Destination, Source
from pinyon.flows.collect import Flaw, open_batch, sort
from pinyon.flows.collect.repair import repair
from pinyon.flows.route import Ready, Router, read
from pinyon.ports.destination import DestinationType

#: Largest event that is previewed, in bytes; the server's own limit is a setting.
PREVIEW_LIMIT: Final = 1 << 20


class Preview(Struct):
    """``payloads`` are as they would be sent: nothing is masked, for the event came from whoever asks."""

    payloads: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    withheld: dict[str, str] | None = None  # cause, detail
    error: dict[str, str] | None = None  # code, message, advice


def preview(router: Router, source: Source, event: dict[str, Any], now: float) -> Preview:
    """The event as if it were received when it was sent.

    That is its ``receivedAt``, else its ``sentAt``, else its ``timestamp``, else ``now`` (seconds since the epoch), so
    that a sample from last year shows what it would have led to then. An event that collecting would refuse is refused
    here in the same words.
    """
    received = _collect(event)
    if isinstance(received, Flaw):
        fault = received.fault
        return Preview(error={"code": fault.code, "message": fault.message, "advice": fault.advice})
    received_at = _received_at(event, now)
    sent_at = parse_time(event["sentAt"]) if event.get("sentAt") is not None else None
    submission = Submission(source.id, received_at, sent_at, "segment", None, None, [received])
    origin = mapping.origin_of(submission, source)
    verdict = router.judge(received, "segment", origin, received_at)
    if isinstance(verdict, Ready):
        return Preview([msgspec.json.decode(verdict.payload)], _warnings(received, verdict, origin))
    return Preview(withheld={"cause": verdict.cause, "detail": verdict.detail})


def _collect(event: dict[str, Any]) -> ReceivedEvent | Flaw:
    """The event through the same door as a real one."""
    events, flaws = sort(open_batch(msgspec.json.encode({"batch": [event]})), max_event_bytes=PREVIEW_LIMIT)
    return events[0] if events else flaws[0]


def _received_at(event: dict[str, Any], now: float) -> float:
    for name in ("receivedAt", "sentAt", "timestamp", "originalTimestamp"):
        value = event.get(name)
        moment = parse_time(value) if value is not None else None
        if moment is not None:
            return min(moment, now)
    return now


def _warnings(received: ReceivedEvent, ready: Ready, origin: mapping.Origin) -> list[str]:
    try:
        event = read(received, "segment")
    except Undecodable:
        return []
    cleared = mapping.clear(
        event, message_id=received.message_id, name=ready.name, receipt=ready.receipt, origin=origin
    )
    return findings(event, cleared, origin)


def read_line(line: bytes) -> Any:
    """The JSON value of a line, read as leniently as a request is.

    Raises ``RequestRefused`` (malformed_json, too_deep).
    """
    try:
        return msgspec.json.decode(line)
    except (ValueError, RecursionError):
        return msgspec.json.decode(repair(line.decode("utf-8", "replace").encode()))


def router_for(data: Mapping[str, Any], source: Source, types: Mapping[str, DestinationType]) -> Router:
    """The rules of a destination as a file or the API describes it; what only sending needs may be missing.

    Raises ``ConfigurationInvalid``.
    """
    name = data.get("type") or next(iter(types))
    kind = types.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ConfigurationInvalid(f'The destination type "{name}" is not known.', advice=_known(types))
    names = [known.name for known in kind.presets]
    preset = data.get("preset") or names[0]
    if preset not in names:
        raise ConfigurationInvalid(f'The preset "{preset}" is not known.', advice=_known(names))
    categories = data.get("consent_categories") or []
    if not isinstance(categories, list) or not all(isinstance(category, str) for category in categories):
        raise ConfigurationInvalid("consent_categories must be a list of names.", advice="For example: [advertising].")
    needed = {field.name: field.example for field in kind.fields}
    destination = Destination(
        id="dst_preview",
        workspace_id=source.workspace_id,
        name=str(data.get("name") or "preview"),
        type=kind.name,
        source_ids=(source.id,),
        settings=needed,
        secrets=needed,
        consent_categories=tuple(categories),
        preset=preset,
    )
    return Router(destination, kind, kind.connect(destination.settings, destination.secrets, ""), [source])


def _known(names: Iterable[str]) -> str:
    return f"Known: {', '.join(names)}."

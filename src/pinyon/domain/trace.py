"""All that happened to one event, stage by stage, without a person's data."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class Stage(Struct, frozen=True):
    name: str  # received, invalid, deduplication, consent, identity, mapping, payload, attempt, state
    sentence: str
    facts: dict[str, Any] = field(default_factory=dict)


class DestinationTrace(Struct, frozen=True):
    """What became of the event at one destination."""

    destination: str
    state: str  # one of ``delivery.State``
    stages: list[Stage]


class Trace(Struct, frozen=True):
    """One event. Two traces with the same message id are an event and its duplicate."""

    message_id: str
    workspace: str
    source: str
    stages: list[Stage]
    destinations: list[DestinationTrace] = field(default_factory=list)

"""The use case: one request becomes durable events and durable reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, Protocol

from msgspec import Struct

from pinyon.domain.chunk import ReceivedEvent, Rejection, Submission
from pinyon.domain.errors import RequestRefused
from pinyon.domain.registry import Source
from pinyon.flows.collect.envelope import Envelope
from pinyon.flows.collect.faults import (
    INVALID_WRITE_KEY,
    NO_VALID_EVENTS,
    SOURCE_DISABLED,
    TOO_MANY_EVENTS,
    WRITE_KEY_MISSING,
)
from pinyon.flows.collect.members import Flaw, sort
from pinyon.ports.clock import Clock
from pinyon.ports.event_log import EventLog

#: Bytes of a refused member that are kept with the reason.
EXCERPT_BYTES: Final = 2048


class Sources(Protocol):
    """The sources as they are configured now."""

    def by_write_key(self, key: str) -> Source | None: ...


class Limits(Struct, frozen=True):
    max_event_bytes: int
    max_batch_events: int


class Peer(Struct, frozen=True):
    """Who sent the request. A person's data, as far as the source is a browser."""

    ip: str | None
    user_agent: str | None


class Receipt(Struct, frozen=True):
    """What is durable now."""

    events: list[ReceivedEvent]
    flaws: list[Flaw]
    single: bool  # whether the path is one for a single event

    def refusal(self) -> RequestRefused | None:
        """The error that answers a request of which nothing could be accepted."""
        if self.events or not self.flaws:
            return None
        if self.single:
            return self.flaws[0].fault.refusal()
        counts = Counter(flaw.fault.code for flaw in self.flaws)
        return NO_VALID_EVENTS.refusal("Refused: " + ", ".join(f"{n} {code}" for code, n in counts.items()) + ".")


class Collect:
    """Takes requests apart and stores them."""

    def __init__(self, log: EventLog, clock: Clock, sources: Sources, limits: Limits) -> None:
        self._log = log
        self._clock = clock
        self._sources = sources
        self._limits = limits

    def source(self, write_keys: Iterable[str | None]) -> Source:
        """The source of the first known key.

        A key that nobody knows does not end the search: a client with OAuth sends a token of another server in the
        header, and its write key in the body. Raises ``RequestRefused`` (write_key_missing, invalid_write_key,
        source_disabled).
        """
        fault = WRITE_KEY_MISSING
        for key in write_keys:
            if not key:
                continue
            source = self._sources.by_write_key(key)
            if source is not None and source.enabled:
                return source
            if fault is not SOURCE_DISABLED:
                fault = INVALID_WRITE_KEY if source is None else SOURCE_DISABLED
        raise fault.refusal()

    async def submit(self, source: Source, envelope: Envelope, peer: Peer) -> Receipt:
        """Returns when the good events, and the reasons why the others are refused, are durable in one commit.

        Raises ``RequestRefused`` (too_many_events) and ``Unavailable``; nothing is then stored.
        """
        if len(envelope.members) > self._limits.max_batch_events:
            raise TOO_MANY_EVENTS.refusal()
        events, flaws = sort(envelope, self._limits.max_event_bytes)
        if events or flaws:
            now = self._clock.now()
            await self._log.append(
                source.workspace_id,
                _submission(source, envelope, peer, events, now) if events else None,
                [_rejection(source, flaw, now) for flaw in flaws],
            )
        return Receipt(events, flaws, single=envelope.named_type is not None)


def _submission(source: Source, envelope: Envelope, peer: Peer, events: list[ReceivedEvent], now: float) -> Submission:
    return Submission(
        source_id=source.id,
        received_at=now,
        sent_at=envelope.sent_at,
        dialect=envelope.dialect,
        ip=peer.ip,
        user_agent=peer.user_agent,
        events=events,
    )


def _rejection(source: Source, flaw: Flaw, now: float) -> Rejection:
    return Rejection(
        source_id=source.id,
        received_at=now,
        message_id=flaw.message_id,
        code=flaw.fault.code,
        detail=flaw.fault.detail,
        body=flaw.body[:EXCERPT_BYTES],
    )

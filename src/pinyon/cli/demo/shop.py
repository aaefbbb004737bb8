"""Believable web-shop traffic in the Segment spec's form, the same for the same seed.

`Shop.requests` yields HTTP submissions; `Shop.expected` counts what the submissions handed out so far contain, so that
whoever plays them can check the books of the server that took them.
"""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from pinyon.cli.demo.clients import BROWSERS, PHONES, SERVERS, Client, Member
from pinyon.cli.demo.visitors import Visitor, introduce, newcomer, register
from pinyon.cli.demo.visits import Step, Visit, in_app, in_browser

WINDOW: Final = 1800.0  # seconds before `now` over which the events are spread
_EVENT_LIMIT: Final = 32 * 1024  # bytes, as Segment's libraries and Pinyon's default have it
_WRONG_CLOCK: Final = -3 * 3600.0  # seconds: one of the shop's servers has a wrong clock

_DUPLICATES: Final = 0.02
_MALFORMED: Final = 0.0033  # of what goes in batches; a refused single request would be an error to its sender
_AT_ONCE: Final = 12  # visits in progress
_LONGEST_VISIT: Final = 600.0  # seconds
_CUSTOMERS: Final = 200  # known from the first moment
_REMEMBERED: Final = 2000  # visitors who may come back; bounds the memory of a long run
_MISSING: Final = {"no_type": ("type",), "no_event_name": ("event", "name"), "no_identity": ("userId", "anonymousId")}
_FAULTS: Final = ("not_an_object", "too_large", *_MISSING)


class ShopRequest(msgspec.Struct, frozen=True):
    """One POST. The player adds host and authorization (the bodies carry no write key)."""

    path: str
    body: bytes
    headers: dict[str, str]
    events: int  # members in the body
    malformed: int  # of these, members that a server must record as invalid


class Expected(msgspec.Struct):
    """Tallies. Every member is malformed, a duplicate, or distinct; every distinct one has a consent state:
    ``members == malformed + duplicates + granted + refused + unstated``.
    """

    members: int = 0
    malformed: int = 0
    duplicates: int = 0  # exact copies of a good member handed out before
    granted: int = 0
    refused: int = 0  # context.consent says advertising: false
    unstated: int = 0  # no consent object: the source's default holds
    by_name: Counter[str] = msgspec.field(default_factory=Counter)  # distinct; a track's event name, else the type
    refused_by_name: Counter[str] = msgspec.field(default_factory=Counter)
    malformed_by_fault: Counter[str] = msgspec.field(default_factory=Counter)

    def count(self, member: Member) -> None:
        self.members += 1
        if member.fault is not None:
            self.malformed += 1
            self.malformed_by_fault[member.fault] += 1
            return
        if member.duplicate:
            self.duplicates += 1
            return
        self.by_name[member.name] += 1
        if member.consent is None:
            self.unstated += 1
        elif member.consent:
            self.granted += 1
        else:
            self.refused += 1
            self.refused_by_name[member.name] += 1


class Session(NamedTuple):
    """A visit in progress, and the client that reports it."""

    visit: Visit
    steps: Iterator[Step]
    client: Client
    context: dict[str, Any]


class Shop:
    """The same seed and the same calls give the same requests, byte for byte.

    ``now`` (seconds since 1970) is when the shop opens, with customers it has known for some days. Traffic comes from
    `requests`, which may be called again with a later ``now``; visitors then come back and the tallies go on.
    """

    def __init__(self, seed: int, now: float) -> None:
        self.expected = Expected()
        self._rng = random.Random(seed)  # noqa: S311 - repeatable play, nothing secret
        self._serial = 0
        self._known = [self._customer(now) for _ in range(_CUSTOMERS)]

    def requests(self, events: int, now: float) -> Iterator[ShopRequest]:
        """Submissions whose members are exactly ``events``, timed within `WINDOW` before ``now``.

        Visits run side by side, and each client sends when its batch is full or its visit is over; what waits at the
        end is sent in short requests.
        """
        servers = [Client(self._rng, style, now, 0.0) for style in SERVERS]
        servers.append(Client(self._rng, SERVERS[0], now, _WRONG_CLOCK))
        sessions = [self._open(servers, now, 0.0) for _ in range(_AT_ONCE)]
        left = events
        while left > 0:
            place = int(self._rng.random() * _AT_ONCE)
            session = sessions[place]
            step = next(session.steps, None)
            if step is None:
                yield from self._close(session)
                sessions[place] = self._open(servers, now, 1 - left / events)
                continue
            members = self._members(session, step)[:left]
            left -= len(members)
            for member in members:
                session.client.queue.append(member)
                if session.client.full:
                    yield self._send(session.client)
        for client in servers + [session.client for session in sessions]:
            if client.queue:
                yield self._send(client)

    def _open(self, servers: list[Client], now: float, progress: float) -> Session:
        rng = self._rng
        at = now - WINDOW + (WINDOW - _LONGEST_VISIT) * progress + rng.random() * 30
        visitor = self._visitor(at)
        if visitor.channel == "server":
            client = servers[-1] if rng.random() < 0.04 else rng.choice(servers[:-1])
        else:
            styles = PHONES if visitor.channel == "app" else BROWSERS
            client = Client(rng, styles[visitor.serial % len(styles)], now, visitor.clock_skew, visitor)
        visit = Visit(rng, visitor, at, now - 1)
        steps = in_app(visit) if visitor.channel == "app" else in_browser(visit)
        return Session(visit, steps, client, client.context(visitor))

    def _close(self, session: Session) -> Iterator[ShopRequest]:
        if session.client.owner is not None and session.client.queue:
            yield self._send(session.client)
        visitor = session.visit.visitor
        visitor.last_seen = session.visit.at
        if len(self._known) < _REMEMBERED:  # else forgotten: taking a place would crowd out who has waited longer
            self._known.append(visitor)

    def _visitor(self, at: float) -> Visitor:
        """One who comes back, taken off the list so that nobody is in the shop twice, or a new one."""
        if self._known and self._rng.random() < 0.3:
            place = self._rng.randrange(len(self._known))
            if self._known[place].last_seen < at:
                self._known[place], self._known[-1] = self._known[-1], self._known[place]
                return self._known.pop()
        self._serial += 1
        return newcomer(self._rng, self._serial)

    def _customer(self, now: float) -> Visitor:
        self._serial += 1
        visitor = newcomer(self._rng, self._serial)
        visitor.last_seen = now - self._rng.uniform(1, 30) * 86_400
        visitor.visits = 1
        register(visitor)
        introduce(self._rng, visitor, visitor.last_seen)
        return visitor

    def _members(self, session: Session, step: Step) -> list[Member]:
        """The step's own member; now and then one sent twice, or one that a faulty caller made of it."""
        visit, client = session.visit, session.client
        event = client.wrap(step, visit, session.context)
        kind = step["type"]
        name = step["event"] if kind == "track" else kind
        member = Member(msgspec.Raw(msgspec.json.encode(event)), name, kind, visit.visitor.consent)
        members = [member]
        client.sent.append(member)
        if self._rng.random() < _DUPLICATES:
            members.append(msgspec.structs.replace(self._rng.choice(client.sent), duplicate=True))
        if client.batches and self._rng.random() < _MALFORMED:
            fault = self._rng.choice(_FAULTS)
            wrong = self._spoil(event | {"messageId": client.message_id(visit.at)}, fault)
            members.append(msgspec.structs.replace(member, json=msgspec.Raw(msgspec.json.encode(wrong)), fault=fault))
        return members

    def _spoil(self, event: dict[str, Any], fault: str) -> Any:
        if fault == "not_an_object":
            return self._rng.choice((None, 42, event["type"], [event["type"]]))
        if fault == "too_large":
            return event | {"properties": {"note": "Lovely shop. " * (_EVENT_LIMIT // 10)}}
        if fault == "no_event_name":
            event["type"] = "track"
        for name in _MISSING[fault]:
            event.pop(name, None)
        return event

    def _send(self, client: Client) -> ShopRequest:
        members = tuple(client.queue)
        path, body, headers = client.submission()
        malformed = 0
        for member in members:
            self.expected.count(member)
            malformed += member.fault is not None
        return ShopRequest(path, body, headers, len(members), malformed)

"""What a vendor's face gives to the flows: settings, payloads, requests, verdicts. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from pinyon.domain.conversion import ClearedEvent, Forms
from pinyon.domain.delivery import Verdict
from pinyon.domain.mapping import MappingRule


class Field(Struct, frozen=True):
    """One setting of a destination. The only description there is: files, API, console and docs read it."""

    name: str
    label: str
    help: str
    required: bool = False
    secret: bool = False
    pattern: str = ""  # regular expression for the whole value
    example: str = ""
    default: str = ""


class Preset(Struct, frozen=True):
    """A named list of mappings."""

    name: str
    help: str
    rules: tuple[MappingRule, ...]


class Request(Struct, frozen=True):
    """One HTTP request. ``headers`` hold the credentials: never log them."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    events: int


class Reply(Struct, frozen=True):
    """The answer, or why there is none (then ``status`` is 0 and ``failure`` a word such as "timeout")."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    failure: str = ""


class Withheld(Struct, frozen=True):
    """An event that must not be sent, with the cause."""

    cause: str
    detail: str


class Connection(Protocol):
    """A destination as configured."""

    @property
    def forms(self) -> Forms:
        """What the mapping is to fill in."""

    @property
    def batch_events(self) -> int:
        """Most events in one request."""

    @property
    def batch_bytes(self) -> int:
        """Most bytes in one request."""

    @property
    def rate_key(self) -> str:
        """Destinations with the same key share one rate limit."""

    @property
    def rate_per_minute(self) -> float:
        """Most requests in a minute."""

    def encode(self, event: ClearedEvent, now: float) -> bytes | Withheld:
        """One event, which is in this destination's forms, valid by the vendor's schema; or why it cannot be sent."""

    def prepare(self, batch: Sequence[bytes]) -> Request: ...

    def read(self, request: Request, reply: Reply) -> Verdict:
        """What the answer means. Total: never raises, whatever was answered."""

    def reference(self, reply: Reply) -> str:
        """The vendor's own id of the request, for its support; empty when it gave none."""

    def mask(self, payload: bytes) -> dict[str, object]:
        """The payload of one event for people's eyes: identifiers shortened, the rest as it is sent."""


class DestinationType(Protocol):
    """A vendor's face: how it is configured, and what it can send."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def fields(self) -> tuple[Field, ...]: ...

    @property
    def presets(self) -> tuple[Preset, ...]: ...

    def connect(self, settings: Mapping[str, str], secrets: Mapping[str, str], base_url: str) -> Connection: ...

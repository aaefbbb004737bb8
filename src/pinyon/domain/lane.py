"""A lane's position and the records it leaves: compact for what is delivered, a row for everything else."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from msgspec import Struct

from pinyon.domain.delivery import Attempt, State

#: Length in bytes of one entry of ``OutcomeRecord.references``.
REFERENCE_BYTES: Final = 8


class Lane(Struct, frozen=True):
    """One destination's reading position in the log of its workspace."""

    id: str
    workspace_id: str
    destination_id: str
    start: int  # the lane reads chunks with seq > start
    baseline: dict[str, int]  # source id -> events received up to ``start``: before the lane's time
    position: int  # all chunks up to this seq are accounted for
    opened_at: float
    paused: str = ""  # why it stands still; empty when it runs
    paused_at: float | None = None


class Lag(Struct, frozen=True):
    """How far a lane is behind the head of the log."""

    workspace: str
    destination: str
    events: int
    seconds: float  # since the oldest unread event was received
    paused: str  # why the lane stands still; empty when it runs


class Place(Struct, frozen=True, array_like=True, order=True):
    """Where an event is in the log: the chunk, and the event's index within it."""

    seq: int
    index: int


class OutcomeRecord(Struct, frozen=True):
    """One batch that was answered. One record a batch: there is no row for a delivered event."""

    first: Place  # place of the first and of the last event of the batch
    last: Place
    accepted: int  # events
    by_name: dict[str, int]  # vendor's event name -> accepted events
    references: bytes  # for each accepted event its deduplication key, then the ``reference`` of its order id or zeros
    attempts: list[Attempt]
    recorded_at: float


class ExceptionRow(Struct, frozen=True):
    """An event that is not simply delivered."""

    place: Place
    source_id: str
    message_id: str
    state: State
    cause: str  # stable word, see docs/reference/causes.md
    detail: str  # for people; never a person's data
    event_name: str  # the vendor's name when mapped, else the event's own
    event_id: str
    order_id: str
    received_at: float
    recorded_at: float
    attempts: list[Attempt] = []


def reference(text: str) -> bytes:
    """A short digest by which an outcome record is found from an order id; zeros for none."""
    if not text:
        return bytes(REFERENCE_BYTES)
    return blake2b(text.encode(errors="surrogatepass"), digest_size=REFERENCE_BYTES).digest()

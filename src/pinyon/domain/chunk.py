"""What the event log holds: submissions, and the chunks they are committed in."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from msgspec import Struct

#: Length in bytes of one deduplication key.
KEY_BYTES: Final = 8

EVENT_TYPES: Final = frozenset({"track", "page", "screen", "identify", "group", "alias"})


class ReceivedEvent(Struct, array_like=True, gc=False, frozen=True):
    """One event as it came: its envelope read, its body untouched."""

    type: str
    message_id: str
    body: bytes  # JSON object, as sent


class Submission(Struct, array_like=True, frozen=True):
    """The good events of one request, and what was known of the request."""

    source_id: str
    received_at: float  # seconds since the epoch, our clock
    sent_at: float | None  # seconds since the epoch, the client's clock
    dialect: str  # "segment" or "posthog": the form of the bodies
    ip: str | None  # of the peer; a person's data
    user_agent: str | None
    events: list[ReceivedEvent]

    def keys(self) -> bytes:
        """The deduplication keys of the events, in order, ``KEY_BYTES`` each."""
        return b"".join([event_key(self.source_id, event.message_id) for event in self.events])


class Rejection(Struct, array_like=True, frozen=True):
    """A member of a request that is not an event, kept with the reason."""

    source_id: str
    received_at: float
    message_id: str | None
    code: str  # stable, see docs/reference/errors.md
    detail: str
    body: bytes  # the start of what was sent, at most 2 KB


class ChunkHeader(Struct, frozen=True):
    """What is known of a chunk without opening it."""

    seq: int  # grows by commit; one chunk each
    workspace_id: str
    first_received_at: float
    last_received_at: float
    counts: dict[str, int]  # source id -> number of events
    keys: bytes  # ``KEY_BYTES`` for each event, in the order of the events

    @property
    def events(self) -> int:
        return len(self.keys) // KEY_BYTES


class Chunk(Struct, frozen=True):
    """The events of one workspace in one commit of the log."""

    header: ChunkHeader
    submissions: list[Submission]


def event_key(source_id: str, message_id: str) -> bytes:
    """The deduplication key of (source, message id).

    Two different ids may share a key; whoever finds a match compares the ids.
    """
    return blake2b(f"{source_id}\0{message_id}".encode(errors="surrogatepass"), digest_size=KEY_BYTES).digest()

"""What the sandbox has seen: counts without end, the latest events and requests in full."""

import hashlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import compress, islice, repeat
from operator import attrgetter, eq
from typing import Any

import msgspec

from pinyon.sandbox.schema import Event
from pinyon.sandbox.verdict import Verdict

KEPT_REQUESTS = 200
NO_ANSWER = "timeout"


class KeptEvent(msgspec.Struct, frozen=True, gc=False):
    """A processed event, also a repeated one. ``body`` is its JSON as it was sent."""

    position: int
    ad_account_id: str
    received_at: float
    event_id: str
    event_name: str
    order_id: str | None
    body: msgspec.Raw


class Call(msgspec.Struct, frozen=True):
    """One call of events/create.

    ``status`` is ``None`` when the client left before an answer, ``events`` and ``failed`` when the batch was not read.
    ``message`` says why it was refused, or why the first of its failed events failed.
    """

    received_at: float
    ad_account_id: str
    test: bool
    status: int | None
    events: int | None
    failed: int | None
    message: str
    ms: float


class Record:
    """Events are the same when ad account, event_name and event_id are.

    Pinterest itself never deduplicates offline events (O:events/create, API description 5.23.0); here they are counted
    as all others, because what is counted is how often a sender sent them.
    """

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self.clear()

    def clear(self) -> None:
        self.requests = self.test_requests = 0
        self.received = self.failed = self.duplicates = 0
        self.by_status: Counter[str] = Counter()
        self.by_event_name: Counter[str] = Counter()
        self.calls: deque[Call] = deque(maxlen=KEPT_REQUESTS)
        self.events: deque[KeptEvent] = deque(maxlen=self._keep)
        # 96 bits: among a billion events two meet by chance about once in 10^11 runs.
        self._seen: set[bytes] = set()
        self._position = 0

    @property
    def unique_events(self) -> int:
        return len(self._seen)

    def add_call(self, call: Call) -> None:
        self.calls.append(call)
        if call.test:
            self.test_requests += 1
            return
        self.requests += 1
        self.by_status[str(call.status or NO_ANSWER)] += 1

    def add_batch(
        self,
        ad_account_id: str,
        received_at: float,
        events: Sequence[Event],
        bodies: Sequence[msgspec.Raw],
        verdicts: Sequence[Verdict],
    ) -> None:
        """The three sequences have the same order and length."""
        self.received += len(events)
        for event, body, verdict in zip(events, bodies, verdicts, strict=True):
            if verdict.failed:
                self.failed += 1
                continue
            self._count(ad_account_id, event)
            self._position += 1
            self.events.append(
                KeptEvent(
                    self._position,
                    ad_account_id,
                    received_at,
                    event.event_id,
                    event.event_name,
                    event.custom_data.order_id,
                    body,
                )
            )

    def _count(self, ad_account_id: str, event: Event) -> None:
        key = f"{ad_account_id}\0{event.event_name}\0{event.event_id}"
        digest = hashlib.blake2b(key.encode(), digest_size=12).digest()
        if digest in self._seen:
            self.duplicates += 1
            return
        self._seen.add(digest)
        self.by_event_name[event.event_name] += 1

    def find(self, after: int, **wanted: str) -> Iterator[KeptEvent]:
        """Kept events after a position, oldest first, whose members equal those ``wanted``."""
        # All of it in C: among 200 000 events a loop here would keep other callers waiting.
        skipped = max(0, after + 1 - self.events[0].position) if self.events else 0
        found: Iterator[KeptEvent] = islice(self.events, skipped, None)
        for name, value in wanted.items():
            candidates = list(found)
            found = compress(candidates, map(eq, map(attrgetter(name), candidates), repeat(value)))
        return found

    def stats(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "test_requests": self.test_requests,
            "received": self.received,
            "unique_events": self.unique_events,
            "duplicates": self.duplicates,
            "failed": self.failed,
            "by_event_name": dict(self.by_event_name.most_common()),
            "by_status": dict(sorted(self.by_status.items())),
        }

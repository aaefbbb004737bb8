"""Counters and histograms with prometheus-client.

Collecting and delivering may be two processes: with ``shared`` set, each keeps its figures in files of that folder and
either can render all of them. The books (events by state and cause, lag) are no counters; they are read from the
records at each scrape, so that they survive a restart and cannot drift.
"""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from pinyon.domain.books import Books, DestinationBooks
from pinyon.domain.lane import Lag
from pinyon.ports.event_log import LogFacts

_FAST = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_SLOW = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_COUNTS = (1, 3, 10, 30, 100, 300, 1_000, 3_000)

_LANE = ("workspace", "destination")


class PrometheusTelemetry:
    """Implements ``ports.telemetry.Telemetry``."""

    def __init__(self, shared: Path | None = None) -> None:
        """``shared`` is the folder in ``PROMETHEUS_MULTIPROC_DIR``, which must be set before this is imported."""
        self._shared = shared
        self._registry = CollectorRegistry()
        registry = self._registry
        self._requests = Counter(
            "pinyon_ingest_requests", "Answered ingestion requests.", ["status", "code"], registry=registry
        )
        self._commits = Histogram(
            "pinyon_log_commit_events", "Events in one commit of the log.", buckets=_COUNTS, registry=registry
        )
        self._commit_seconds = Histogram(
            "pinyon_log_commit_seconds", "Time of one commit of the log.", buckets=_FAST, registry=registry
        )
        self._sync_seconds = Histogram(
            "pinyon_log_fsync_seconds", "Time until a commit is on the disk.", buckets=_FAST, registry=registry
        )
        self._payload = Counter(
            "pinyon_log_payload_bytes", "Bytes of chunks written, compressed and sealed.", registry=registry
        )
        self._attempts = Histogram(
            "pinyon_attempt_seconds",
            "Time of one request to a destination.",
            ["destination_id", "status", "result"],
            buckets=_SLOW,
            registry=registry,
        )
        self._batches = Histogram(
            "pinyon_batch_events", "Events in one request.", ["destination_id"], buckets=_COUNTS, registry=registry
        )

    def request(self, status: int, code: str) -> None:
        self._requests.labels(str(status), code).inc()

    def committed(self, *, events: int, payload_bytes: int, seconds: float, sync_seconds: float) -> None:
        self._commits.observe(events)
        self._commit_seconds.observe(seconds)
        self._sync_seconds.observe(sync_seconds)
        self._payload.inc(payload_bytes)

    def attempted(self, *, destination_id: str, status: int, result: str, events: int, seconds: float) -> None:
        self._attempts.labels(destination_id, str(status), result).observe(seconds)
        self._batches.labels(destination_id).observe(events)

    def render(self, books: list[Books], lags: list[Lag], facts: LogFacts) -> bytes:
        """The figures of all processes that share the folder, else of this one, and the state as of now."""
        text = generate_latest(self._counted())
        return text + generate_latest(_state(books, lags, facts))

    def _counted(self) -> CollectorRegistry:
        if self._shared is None:
            return self._registry
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(self._shared))  # type: ignore[no-untyped-call]
        return registry


def _state(books: list[Books], lags: list[Lag], facts: LogFacts) -> CollectorRegistry:
    registry = CollectorRegistry()
    events = Gauge(
        "pinyon_events", "Events by state and cause.", ["workspace", "destination", "state", "cause"], registry=registry
    )
    received = Gauge("pinyon_received_events", "Members received, ever.", ["workspace"], registry=registry)
    invalid = Gauge("pinyon_invalid_events", "Members that were refused, ever.", ["workspace"], registry=registry)
    for workspace in books:
        received.labels(workspace.workspace).set(workspace.received)
        invalid.labels(workspace.workspace).set(workspace.invalid)
        for destination in workspace.destinations:
            for state, cause, count in _by_state(destination):
                events.labels(workspace.workspace, destination.destination, state, cause).set(count)
    behind = Gauge("pinyon_lane_lag_events", "Events not yet read by the lane.", _LANE, registry=registry)
    age = Gauge("pinyon_lane_lag_seconds", "Age of the oldest unread event.", _LANE, registry=registry)
    paused = Gauge("pinyon_lane_paused", "1 while the lane stands still.", _LANE, registry=registry)
    for lag in lags:
        behind.labels(lag.workspace, lag.destination).set(lag.events)
        age.labels(lag.workspace, lag.destination).set(lag.seconds)
        paused.labels(lag.workspace, lag.destination).set(1 if lag.paused else 0)
    Gauge("pinyon_log_bytes", "Size of the event log on disk.", registry=registry).set(facts.bytes)
    Gauge("pinyon_log_chunks", "Chunks in the event log.", registry=registry).set(facts.chunks)
    return registry


def _by_state(books: DestinationBooks) -> list[tuple[str, str, int]]:
    return [
        ("delivered", "", books.delivered),
        ("duplicate", "", books.duplicates),
        ("waiting", "", books.waiting),
        *(("withheld", cause, count) for cause, count in books.withheld.items()),
        *(("dead", cause, count) for cause, count in books.dead.items()),
    ]

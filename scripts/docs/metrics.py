"""The metrics, from what a server of two processes would render."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from scripts.docs.tables import table

from pinyon.adapters.prometheus import PrometheusTelemetry
from pinyon.domain.books import Books, DestinationBooks
from pinyon.domain.lane import Lag
from pinyon.ports.event_log import LogFacts


def metrics() -> str:
    rows = []
    for family in text_string_to_metric_families(_rendered()):
        if family.name.endswith("_created"):  # prometheus-client's own; two processes that share figures leave it out
            continue
        labels = {name: None for sample in family.samples for name in sample.labels if name != "le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        shown = ", ".join(f"`{label}`" for label in sorted(labels)) or "none"
        rows.append((f"`{name}`", family.type, shown, family.documentation))
    return table(("Metric", "Type", "Labels", "What it says"), sorted(rows))


def _rendered() -> str:
    """One sample of each, so that its labels can be read."""
    telemetry = PrometheusTelemetry()
    telemetry.request(200, "ok")
    telemetry.committed(events=1, payload_bytes=1, seconds=0.0, sync_seconds=0.0)
    telemetry.attempted(destination_id="dst", status=200, result="answered", events=1, seconds=0.0)
    books = DestinationBooks("dst", "pinterest", 1, 1, 0, {"consent": 0}, {"invalid": 0}, 0)
    lag = Lag("dst", "pinterest", 0, 0.0, "")
    facts = LogFacts(bytes=0, chunks=0, first_seq=0, last_seq=0)
    return telemetry.render([Books("acme", 1, 0, [books])], [lag], facts).decode()

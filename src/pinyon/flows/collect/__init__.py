"""Collecting: decode the envelope only, stamp the time, store, and only then say yes."""

from pinyon.flows.collect.envelope import Dialect, Envelope, open_batch, open_event
from pinyon.flows.collect.members import Flaw, sort
from pinyon.flows.collect.submit import Collect, Limits, Peer, Receipt, Sources

__all__ = [
    "Collect",
    "Dialect",
    "Envelope",
    "Flaw",
    "Limits",
    "Peer",
    "Receipt",
    "Sources",
    "open_batch",
    "open_event",
    "sort",
]

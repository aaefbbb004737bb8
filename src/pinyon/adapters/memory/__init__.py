"""The stores in memory: what tests of flows use. They pass the same conformance suites as the others."""

from pinyon.adapters.memory.event_log import MemoryEventLog
from pinyon.adapters.memory.lanes import MemoryLanes
from pinyon.adapters.memory.registry import MemoryRegistryStore

__all__ = ["MemoryEventLog", "MemoryLanes", "MemoryRegistryStore"]

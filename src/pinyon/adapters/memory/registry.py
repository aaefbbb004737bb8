"""The registry in memory: for tests of flows, and for trials without a disk."""

from __future__ import annotations

from msgspec.structs import replace

from pinyon.domain.errors import PinyonError
from pinyon.domain.registry import Registry
from pinyon.ports.registry import RegistryStore


class MemoryRegistryStore(RegistryStore):
    """Lost with the process; used from one event loop."""

    def __init__(self) -> None:
        self._newest = Registry(revision=0)

    async def load(self) -> Registry:
        return self._newest

    async def save(self, registry: Registry) -> Registry:
        if registry.revision != self._newest.revision:
            raise PinyonError(
                "revision_conflict",
                f"The change was made on revision {registry.revision}; the newest is {self._newest.revision}.",
                "Load the newest revision and make the change again.",
                status=412,
            )
        self._newest = replace(registry, revision=registry.revision + 1)
        return self._newest

    async def close(self) -> None:
        """Nothing to close."""

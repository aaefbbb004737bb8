"""The registry: what is configured, kept with stable ids."""

from __future__ import annotations

from typing import Protocol

from pinyon.domain.registry import Registry


class RegistryStore(Protocol):
    """Keeps one ``Registry``; a write makes a new revision."""

    async def load(self) -> Registry:
        """The newest revision; revision 0 and nothing in it on an empty store."""

    async def save(self, registry: Registry) -> Registry:
        """Replace what is configured; the answer carries the new revision.

        ``registry.revision`` is the one the change was made on. Raises ``PinyonError`` with code
        ``revision_conflict`` (status 412) when the store has moved on since.
        """

    async def close(self) -> None: ...

"""The one way out."""

from __future__ import annotations

from typing import Protocol

from pinyon.ports.destination import Reply, Request


class Sender(Protocol):
    """Sends requests. Never raises for what the network does: that is a ``Reply`` with ``failure``."""

    async def send(self, request: Request) -> Reply: ...

    async def close(self) -> None: ...

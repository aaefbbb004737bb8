"""What the parts tell about their work, for ``/metrics``. Cheap, and never with a person's data."""

from __future__ import annotations

from typing import Protocol


class Telemetry(Protocol):
    def request(self, status: int, code: str) -> None:
        """One answered ingestion request; ``code`` is "ok" or the error's."""

    def committed(self, *, events: int, payload_bytes: int, seconds: float, sync_seconds: float) -> None:
        """One commit of the log: bytes as stored, time in all, and of the durable write alone."""

    def attempted(self, *, destination_id: str, status: int, result: str, events: int, seconds: float) -> None: ...


class Silent:
    """Tells nobody."""

    def request(self, status: int, code: str) -> None: ...

    def committed(self, *, events: int, payload_bytes: int, seconds: float, sync_seconds: float) -> None: ...

    def attempted(self, *, destination_id: str, status: int, result: str, events: int, seconds: float) -> None: ...

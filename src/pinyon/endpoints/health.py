"""Whether the server is alive, whether it can work, and its figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from pinyon.endpoints.asgi import Answer, Receive, Scope, Send, json_answer, method_not_allowed, respond

#: Source: Prometheus text exposition format 0.0.4.
METRICS_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"


class Health:
    """The paths ``/health``, ``/ready`` and ``/metrics``.

    ``check`` answers with the reasons why the server cannot work, none when it can; ``render`` with the metrics in
    Prometheus' text format.
    """

    paths: Final = frozenset({"/health", "/ready", "/metrics"})

    def __init__(self, check: Callable[[], Awaitable[Sequence[str]]], render: Callable[[], Awaitable[bytes]]) -> None:
        self._check = check
        self._render = render

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await respond(send, method_not_allowed("GET", "HEAD"))
            return
        await respond(send, await self._answer(scope["path"].rstrip("/")), ((b"cache-control", b"no-store"),))

    async def _answer(self, path: str) -> Answer:
        if path == "/health":
            return json_answer({"status": "alive"})
        if path == "/metrics":
            return Answer(200, await self._render(), METRICS_TYPE)
        reasons = await self._check()
        if reasons:
            return json_answer({"status": "not_ready", "reasons": list(reasons)}, 503)
        return json_answer({"status": "ready"})

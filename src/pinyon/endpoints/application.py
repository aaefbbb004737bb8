"""All faces as one ASGI application."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final

import structlog

from pinyon.endpoints.asgi import Application, Message, Receive, Scope, Send, internal_error, not_found, respond
from pinyon.endpoints.collect import CollectEndpoint
from pinyon.endpoints.health import Health

Lifespan = Callable[[], AbstractAsyncContextManager[None]]

_log: Final = structlog.get_logger()


def create_application(
    collect: CollectEndpoint | None,
    health: Health,
    faces: Mapping[str, Application] | None = None,
    lifespan: Lifespan = nullcontext,
) -> Application:
    """The application for any ASGI server; without ``collect`` where another process collects.

    ``faces`` are further applications by path prefix, such as ``/console``; the longest prefix wins, and a path that
    collecting knows is always its own. ``lifespan`` is entered before the first request and left after the last.
    """
    prefixes = sorted((faces or {}).items(), key=lambda face: -len(face[0]))

    def face_of(path: str) -> Application | None:
        if collect is not None and collect.handles(path):
            return collect
        if path.rstrip("/") in health.paths:
            return health
        for prefix, face in prefixes:
            if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
                return face
        return None

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(lifespan, receive, send)
        elif scope["type"] == "http":
            await _answer(face_of(scope["path"]), scope, receive, send)

    return application


async def _answer(face: Application | None, scope: Scope, receive: Receive, send: Send) -> None:
    if face is None:
        await respond(send, not_found())
        return
    started = False

    async def watched_send(message: Message) -> None:
        nonlocal started
        started = True
        await send(message)

    try:
        await face(scope, receive, watched_send)
    except Exception as error:  # noqa: BLE001 - the last resort: whatever a face did not foresee
        _log.error("request.failed", method=scope["method"], path=scope["path"], **_describe(error))
        if not started:
            await respond(send, internal_error())


def _describe(error: Exception) -> dict[str, object]:
    """Kind and place of an error. Not its text: that may hold what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": type(error).__name__, "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}


async def _live(lifespan: Lifespan, receive: Receive, send: Send) -> None:
    """ASGI's lifespan protocol around a context manager."""
    stage = "startup"
    try:
        await receive()
        async with lifespan():
            await send({"type": "lifespan.startup.complete"})
            stage = "shutdown"
            await receive()
    except Exception as error:
        _log.error("server.failed", stage=stage, **_describe(error))
        await send({"type": f"lifespan.{stage}.failed", "message": type(error).__name__})
        raise
    await send({"type": "lifespan.shutdown.complete"})

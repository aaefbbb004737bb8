"""Serves an ASGI application with granian inside the running event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final

from granian.constants import Interfaces
from granian.server.embed import Server

#: Connections that may wait to be accepted.
BACKLOG: Final = 1024
#: Seconds that open requests get at shutdown.
GRACE: Final = 5.0


async def serve(
    application: Any, host: str, port: int, *, stop: asyncio.Event, ready: Callable[[int], None] | None = None
) -> None:
    """Serves until ``stop`` is set; port 0 takes a free one, and ``ready`` is told which once it accepts.

    Raises ``OSError`` when the address cannot be bound.
    """
    with _reserve(host, port) as reserved:
        address, bound = reserved.getsockname()[:2]
        server = Server(
            application,
            address,
            bound,
            interface=Interfaces.ASGINL,
            backlog=BACKLOG,
            websockets=False,
            log_enabled=False,
        )
        serving = asyncio.create_task(server.serve())
        await _accepting(address, bound, serving)
    if ready is not None:
        ready(bound)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.stop()  # type: ignore[no-untyped-call]  # granian leaves it without annotations
    await asyncio.wait({serving}, timeout=GRACE)
    if not serving.cancel():
        await serving


def _reserve(host: str, port: int) -> socket.socket:
    """Binds the address without listening. Raises ``OSError`` when it is taken.

    granian listens with SO_REUSEPORT: on a taken port it would silently get a share of the calls. So the port is bound
    alone first and shared only then, which keeps others off it until granian listens.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    reserved = socket.socket(family, socket.SOCK_STREAM)
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(address)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        reserved.close()
        raise
    return reserved


async def _accepting(address: str, port: int, serving: asyncio.Task[None]) -> None:
    """granian does not tell when it listens; asking is the only way."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104  # listened on by choice of a person
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            await writer.wait_closed()
            return
    await serving
    raise OSError(f"cannot listen on {address} port {port}")

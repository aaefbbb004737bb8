"""Runs a sandbox on a port of its own."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable

from granian.constants import Interfaces
from granian.server.embed import Server

from pinyon.sandbox.api import build_app
from pinyon.sandbox.config import SandboxConfig
from pinyon.sandbox.state import Sandbox

new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
with contextlib.suppress(ImportError):
    import uvloop

    new_event_loop = uvloop.new_event_loop

# Connections waiting to be accepted, and (granian's default) connections open at the same time. The embedded
# server's own default of 128 is used up by as many requests left hanging by a timeout fault.
BACKLOG = 1024
GRACE_SECONDS = 2

Ready = Callable[[int], None]


def serve(
    config: SandboxConfig | None = None, host: str = "127.0.0.1", port: int = 8085, ready: Ready | None = None
) -> None:
    """Serves until SIGTERM or SIGINT; port 0 is any free port.

    ``ready`` is called once with the port when connections are accepted. Raises ``OSError`` when the address
    cannot be bound. Belongs in the main thread, as signal handlers do; elsewhere use ``serve_until``.
    """
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve_until_signal(config or SandboxConfig(), host, port, ready))


async def _serve_until_signal(config: SandboxConfig, host: str, port: int, ready: Ready | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve_until(stop, config, host, port, ready)


async def serve_until(
    stop: asyncio.Event, config: SandboxConfig, host: str = "127.0.0.1", port: int = 0, ready: Ready | None = None
) -> None:
    """As ``serve``, until ``stop`` is set."""
    sandbox = Sandbox(config)
    with _reserve(host, port) as reserved:
        address, port = reserved.getsockname()[:2]
        server = _server(sandbox, address, port)
        serving = asyncio.create_task(server.serve())
        await _accepting(address, port, serving)
    if ready:
        ready(port)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    # Without this the server waits for each request that a timeout fault left hanging.
    sandbox.closing.set()
    server.stop()  # type: ignore[no-untyped-call]  # granian leaves it without annotations
    # granian waits for open requests; one whose body never comes must not keep the process.
    await asyncio.wait({serving}, timeout=GRACE_SECONDS)
    if not serving.cancel():
        await serving


def _server(sandbox: Sandbox, address: str, port: int) -> Server:
    return Server(
        build_app(sandbox),
        address,
        port,
        interface=Interfaces.ASGINL,
        backlog=BACKLOG,
        websockets=False,
        log_enabled=False,
    )


def _reserve(host: str, port: int) -> socket.socket:
    """Binds the address without listening. Raises ``OSError`` when it is taken.

    granian shares its ports (SO_REUSEPORT): on a taken one it would silently get every second call. So the port is
    bound alone first, and shared only then, which keeps others off it until granian listens.
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
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(address, port)
        except OSError:
            # granian does not tell when it listens; asking again is the only way.
            await asyncio.sleep(0.01)
        else:
            writer.close()
            await writer.wait_closed()
            return
    await serving
    raise OSError(f"the sandbox could not listen on {address} port {port}")

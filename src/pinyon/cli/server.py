"""One process of a server: the roles it has, the port it listens on, and the process it keeps for delivering."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Final

import structlog

from pinyon.cli.output import print_json

if TYPE_CHECKING:
    from pinyon.app import Pinyon
    from pinyon.config import Settings
    from pinyon.flows.configure import Configuration

logger = structlog.get_logger("pinyon")

METRICS_FOLDER: Final = "metrics"
#: Seconds before a delivering process that ended by itself is started again.
RESTART_AFTER: Final = 1.0


def share_metrics(settings: Settings, *, fresh: bool) -> None:
    """Must come before anything imports prometheus-client: it reads the variable when it is imported."""
    folder = settings.data / METRICS_FOLDER
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if fresh:
        for figures in folder.glob("*_*.db"):
            if not _is_running(figures.stem.rpartition("_")[2]):
                figures.unlink(missing_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _is_running(pid: str) -> bool:
    """Another server's figures are not ours to clear."""
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


async def run_server(
    settings: Settings, document: Configuration | None, role: str, *, as_json: bool, follow_stdin: bool
) -> None:
    """Does the role's work until a signal, or the end of the process that started this one."""
    stop, go = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    apart = role == "all" and _two_processes(settings)
    if follow_stdin:
        _follow_stdin(go, stop)
    async with _deliverer(settings, go, stop) if apart else nullcontext():
        from pinyon.profiles.embedded import configure_with, open_pinyon

        if follow_stdin:
            await _either(go, stop)
            if stop.is_set():
                return
        collects, delivers = role != "deliver", role == "deliver" or (role == "all" and not apart)
        async with open_pinyon(settings, collect=collects, deliver=delivers) as pinyon:
            if document is not None:
                await configure_with(pinyon, document)
            go.set()
            async with asyncio.TaskGroup() as group:
                group.create_task(pinyon.run(stop))
                if collects:
                    group.create_task(_listen(pinyon, settings, stop, as_json=as_json))
                else:
                    logger.info("deliver.started", data=str(settings.data))


async def _listen(pinyon: Pinyon, settings: Settings, stop: asyncio.Event, *, as_json: bool) -> None:
    from pinyon.endpoints.application import create_application
    from pinyon.endpoints.collect import CollectEndpoint
    from pinyon.endpoints.health import Health
    from pinyon.endpoints.server import serve as serve_http

    assert pinyon.collect is not None
    collect = CollectEndpoint(pinyon.collect, pinyon.telemetry, settings)
    application = create_application(collect, Health(pinyon.troubles, pinyon.render_metrics))

    def ready(port: int) -> None:
        url = f"http://{settings.host}:{port}"
        logger.info("server.listening", url=url, data=str(settings.data))
        if as_json:
            print_json({"url": url})
            sys.stdout.flush()

    try:
        await serve_http(application, settings.host, settings.port, stop=stop, ready=ready)
    finally:
        stop.set()


def _two_processes(settings: Settings) -> bool:
    if settings.processes == "auto":
        return len(os.sched_getaffinity(0)) > 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) > 1
    return settings.processes == "two"


def _follow_stdin(go: asyncio.Event, stop: asyncio.Event) -> None:
    """The process that started this one writes a byte when its stores are ready, and never again: what can be read
    after that is the end, and the end means that it is gone.
    """
    loop, source = asyncio.get_running_loop(), sys.stdin.fileno()

    def on_input() -> None:
        if os.read(source, 1):
            go.set()
        else:
            loop.remove_reader(source)
            stop.set()

    loop.add_reader(source, on_input)


async def _either(*events: asyncio.Event) -> None:
    """Returns when one of them is set."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


@asynccontextmanager
async def _deliverer(settings: Settings, go: asyncio.Event, stop: asyncio.Event) -> AsyncIterator[None]:
    """Keeps a delivering process while the body runs.

    It is started at once, for it takes a while to import what it needs, and begins its work when ``go`` is set.
    """
    keeper = asyncio.create_task(_keep(settings, go, stop))
    try:
        yield
    finally:
        stop.set()
        await keeper


async def _keep(settings: Settings, go: asyncio.Event, stop: asyncio.Event) -> None:
    """Starts the process again when it ends by itself."""
    arguments = ["serve", "--role", "deliver", "--follow-stdin", "--data", str(settings.data)]
    while not stop.is_set():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pinyon", *arguments, stdin=asyncio.subprocess.PIPE, start_new_session=True
        )
        ended = asyncio.create_task(process.wait())
        await _either(go, stop)
        assert process.stdin is not None
        process.stdin.write(b"1")
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if stop.is_set():
            await _end(process, settings.drain_timeout.total_seconds() + 5)
            return
        logger.error("deliver.ended", exit_code=process.returncode, advice="it is started again")
        await asyncio.sleep(RESTART_AFTER)


async def _end(process: asyncio.subprocess.Process, patience: float) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        async with asyncio.timeout(patience):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()

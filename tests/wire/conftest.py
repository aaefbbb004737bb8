"""A collecting server on a real port, in a thread, for as long as one test."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from queue import Queue
from typing import Any

import httpx2
import pytest

from pinyon.adapters.memory import MemoryEventLog
from pinyon.config import Settings
from pinyon.domain.chunk import ReceivedEvent, Rejection, Submission
from pinyon.domain.errors import PinyonError
from pinyon.domain.registry import Source
from pinyon.endpoints.application import create_application
from pinyon.endpoints.collect import CollectEndpoint
from pinyon.endpoints.health import Health
from pinyon.endpoints.server import serve
from pinyon.flows.collect import Collect, Limits
from pinyon.ports.telemetry import Silent

WRITE_KEY = "wk_shop"
SHOP = Source("src_shop", "ws_acme", "shop", "web", (WRITE_KEY,))
CLOSED = Source("src_closed", "ws_acme", "closed", "web", ("wk_closed",), enabled=False)
LONG = 60.0  # seconds after which a wait is taken to hang


class Log(MemoryEventLog):
    """Raises ``refusals``, one for each append, until there are none left."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[Exception] = []

    async def append(self, workspace_id, submission, rejections=()):
        if self.refusals:
            raise self.refusals.pop(0)
        await super().append(workspace_id, submission, rejections)


class Answers(Silent):
    """Hands over what was answered, as (status, code)."""

    def __init__(self) -> None:
        self.queue: Queue[tuple[int, str]] = Queue()

    def request(self, status: int, code: str) -> None:
        self.queue.put((status, code))

    def next(self) -> tuple[int, str]:
        return self.queue.get(timeout=LONG)


class Clock:
    now = staticmethod(time.time)


class Sources(dict[str, Source]):
    def by_write_key(self, key: str) -> Source | None:
        return self.get(key)


class Collecting:
    """A running server and what it holds."""

    def __init__(self, settings: Settings, faces: dict[str, Any]) -> None:
        self.log = Log()
        self.answers = Answers()
        self.troubles: list[str] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        sources = Sources({key: source for source in (SHOP, CLOSED) for key in source.write_keys})
        limits = Limits(settings.max_event_bytes, settings.max_batch_events)
        collect = Collect(self.log, Clock(), sources, limits)
        self.endpoint = CollectEndpoint(collect, self.answers, settings)
        self.health = Health(self._check, self._render)
        self._application = create_application(self.endpoint, self.health, faces)

    async def _check(self) -> list[str]:
        return self.troubles

    async def _render(self) -> bytes:
        return b"pinyon_up 1\n"

    @contextmanager
    def running(self) -> Iterator[None]:
        started: Queue[int | BaseException] = Queue()
        stop = asyncio.Event()

        def work() -> None:
            try:
                with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                    runner.run(serve(self._application, "127.0.0.1", 0, stop=stop, ready=started.put))
            except BaseException as error:
                started.put(error)
                raise

        thread = threading.Thread(target=work)
        thread.start()
        port = started.get(timeout=LONG)
        assert isinstance(port, int), port
        self.port = port
        try:
            yield
        finally:
            self._loop.call_soon_threadsafe(stop.set)
            thread.join(timeout=LONG)
            assert not thread.is_alive()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def refuse(self, *errors: PinyonError) -> None:
        """Raise these from the next appends to the log."""
        self.log.refusals.extend(errors)

    def submissions(self) -> list[Submission]:
        """All that is stored, oldest first."""

        async def read() -> list[Submission]:
            chunks = await self.log.read(SHOP.workspace_id, after=0, through=await self.log.head())
            return [submission for chunk in chunks for submission in chunk.submissions]

        return asyncio.run_coroutine_threadsafe(read(), self._loop).result(LONG)

    def events(self) -> list[ReceivedEvent]:
        return [event for submission in self.submissions() for event in submission.events]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(event.body) for event in self.events()]

    def rejections(self) -> list[Rejection]:
        """All that was refused, oldest first."""
        newest_first = asyncio.run_coroutine_threadsafe(self.log.rejections(SHOP.workspace_id), self._loop)
        return newest_first.result(LONG)[::-1]


@pytest.fixture
def collecting(tmp_path) -> Iterator[Callable[..., Collecting]]:
    """``collecting(**settings)`` starts a server; ``faces`` are further applications by prefix."""
    with ExitStack() as stack:

        def start(faces: dict[str, Any] | None = None, **settings: Any) -> Collecting:
            server = Collecting(Settings(data=tmp_path, **settings), faces or {})
            stack.enter_context(server.running())
            return server

        yield start


@pytest.fixture
def server(collecting) -> Collecting:
    """A server with the settings as they come."""
    return collecting()


@pytest.fixture
def http(server) -> Iterator[httpx2.Client]:
    """A client of ``server``, with the write key of its shop."""
    with httpx2.Client(base_url=server.url, auth=(WRITE_KEY, ""), timeout=LONG) as client:
        yield client

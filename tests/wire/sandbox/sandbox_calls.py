"""A sandbox on a real port, and what is sent to it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import httpx2

from pinyon.sandbox import SandboxConfig, serve_until

NOW = 1_750_000_000
ACCOUNT = "549755885175"
TOKEN = "pina_sandbox"
# sha256sum of the text "test@example.com"
DIGEST = "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"


class Clock:
    """Unix seconds, set by hand."""

    def __init__(self) -> None:
        self.at: float = NOW

    def __call__(self) -> float:
        return self.at


@contextmanager
def running(config: SandboxConfig) -> Iterator[str]:
    """The base URL of a sandbox that runs in a thread until the block ends."""
    started: Queue[int | BaseException] = Queue()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def work() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(serve_until(stop, config, ready=started.put))
        except BaseException as error:
            started.put(error)
            raise

    thread = threading.Thread(target=work)
    thread.start()
    port = started.get(timeout=30)
    assert isinstance(port, int), port
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(timeout=30)
        assert not thread.is_alive()


def client_of(base_url: str) -> httpx2.Client:
    return httpx2.Client(base_url=base_url, headers=bearer(TOKEN), timeout=30)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def event(event_id: str = "e1", **members: object) -> dict[str, object]:
    """An event that fits the published schema, with members replaced or added."""
    return {
        "event_name": "checkout",
        "action_source": "web",
        "event_time": NOW - 60,
        "event_id": event_id,
        "user_data": {"em": [DIGEST]},
        **members,
    }


def send(
    client: httpx2.Client, *events: object, account: str = ACCOUNT, token: str = TOKEN, **query: str
) -> httpx2.Response:
    path = f"/v5/ad_accounts/{account}/events"
    return client.post(path, json={"data": list(events)}, params=query, headers=bearer(token))


def stats(client: httpx2.Client) -> dict[str, object]:
    return client.get("/_sandbox/stats").json()

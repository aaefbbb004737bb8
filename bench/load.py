"""A bounded load client: ``python -m bench.load``, a process of its own.

Posts batches of distinct orders to ``/v1/batch`` over a fixed number of connections, at a steady rate or as fast as
they are answered. Prints ``{"started": true}``, then one JSON line with what was acknowledged and how long that took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from base64 import b64encode
from time import perf_counter, time
from typing import Any, Final
from urllib.parse import urlsplit

import uvloop

from bench.measure import percentiles
from bench.orders import Orders

BATCH: Final = 100
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """One request at a time; raises ``ConnectionError`` when the server hangs up."""

    def connection_made(self, transport: Any) -> None:  # uvloop's are no asyncio.Transport
        self.transport = transport
        self._buffer = b""
        self._answered: asyncio.Future[int] | None = None

    async def post(self, head: bytes, body: bytes) -> int:
        """The status of the answer."""
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.writelines((head % len(body), body))
        return await self._answered

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        stated = _LENGTH.search(head)
        if end and stated is not None and len(rest) >= int(stated[1]) and self._answered is not None:
            self._buffer = b""
            self._answered.set_result(int(head[9:12]))

    def connection_lost(self, _: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError("the server closed the connection"))


class Load:
    """Hands out tickets, one a batch; the next free connection takes the next one."""

    def __init__(self, head: bytes, seed: int, rate: float, seconds: float, events: int) -> None:
        """``rate`` in events a second, 0 for as fast as answered; ends after ``seconds`` or ``events``."""
        self._head = head
        self._orders = Orders(seed, time())
        self._interval = BATCH / rate if rate else 0.0
        self._batches = events // BATCH
        self._seconds = seconds
        self._ticket = 0
        self.latencies: list[float] = []
        self.refused = 0

    async def run(self, connections: list[Connection]) -> float:
        """How many seconds it took until the last answer."""
        self._begun = perf_counter()
        await asyncio.gather(*(self._work(connection) for connection in connections))
        return perf_counter() - self._begun

    async def _work(self, connection: Connection) -> None:
        while self._ticket < self._batches:
            due = self._begun + self._ticket * self._interval
            if max(due, perf_counter()) >= self._begun + self._seconds:
                return
            self._ticket += 1
            body = b'{"batch":[' + b",".join(self._orders.bodies(BATCH)) + b"]}"
            early = due - perf_counter()
            if early > 0:
                await asyncio.sleep(early)
            # Counted from when it was due if all connections were busy then; not if only the timer rang late.
            begun = due if self._interval and early <= 0 else perf_counter()
            if await connection.post(self._head, body) == 200:
                self.latencies.append(perf_counter() - begun)
            else:
                self.refused += 1


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--write-key", required=True)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.0, help="events a second; 0: as fast as answered")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--events", type=int, default=1 << 40)
    parser.add_argument("--seed", type=int, required=True, help="the same seed makes the same message ids")
    given = parser.parse_args()
    place = urlsplit(given.url)
    key = b64encode(f"{given.write_key}:".encode()).decode()
    head = (
        f"POST /v1/batch HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Basic {key}\r\n"
        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    ).encode()
    loop = asyncio.get_running_loop()
    pairs = [await loop.create_connection(Connection, place.hostname, place.port) for _ in range(given.connections)]
    load = Load(head, given.seed, given.rate, given.seconds, given.events)
    print(json.dumps({"started": True}), flush=True)
    seconds = await load.run([connection for _, connection in pairs])
    events = len(load.latencies) * BATCH
    found = {"events": events, "seconds": seconds, "events_per_second": events / seconds, "refused": load.refused}
    print(json.dumps(found | percentiles(load.latencies)))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main())

"""Pinterest as far as speed is concerned: ``python -m bench.sink``, a process of its own.

Answers every POST with a ConversionApiResponse that accepts as many events as the body names, without reading them:
the sandbox, which checks them, costs more than delivering does. ``GET /stats`` tells what came; ``PUT /status/503``
makes it refuse from now on, ``PUT /status/200`` accept again.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from typing import Any, Final

import uvloop

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
#: Stands once in every event: the schema requires it.
_EVENT: Final = b'"event_name":'


class Tally:
    """What came to all connections."""

    def __init__(self) -> None:
        self.status = 200
        self.requests = 0
        self.events = 0  # accepted

    def answer(self, method: bytes, path: bytes, body: bytes) -> bytes:
        if method == b"GET":
            return _response(200, json.dumps({"requests": self.requests, "events": self.events}).encode())
        if method == b"PUT":
            self.status = int(path.rpartition(b"/")[2])
            return _response(200, b"{}")
        self.requests += 1
        if self.status != 200:
            return _response(self.status, b'{"code": 4197, "message": "unavailable"}')
        events = body.count(_EVENT)
        self.events += events
        return _accepted(events)


@functools.cache
def _accepted(events: int) -> bytes:
    verdicts = [{"status": "processed", "error_message": None, "warning_message": None}] * events
    answer = {"num_events_received": events, "num_events_processed": events, "events": verdicts}
    return _response(200, json.dumps(answer, separators=(",", ":")).encode())


def _response(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection(asyncio.Protocol):
    """HTTP/1.1 with Content-Length, one request after the other."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._buffer = bytearray()
        self._needed = 0  # bytes of the request under way; 0 until its head is there

    def connection_made(self, transport: Any) -> None:  # uvloop's are no asyncio.Transport
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            if not self._needed:
                head = self._buffer.find(b"\r\n\r\n")
                if head < 0:
                    return
                stated = _LENGTH.search(self._buffer, 0, head)
                self._head = head + 4
                self._needed = self._head + (int(stated[1]) if stated else 0)
            if len(self._buffer) < self._needed:
                return
            method, path, _ = self._buffer[: self._head].split(b" ", 2)
            body = bytes(memoryview(self._buffer)[self._head : self._needed])
            del self._buffer[: self._needed]
            self._needed = 0
            self._transport.write(self._tally.answer(bytes(method), bytes(path), body))


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    tally = Tally()
    server = await loop.create_server(lambda: Connection(tally), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}"}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())

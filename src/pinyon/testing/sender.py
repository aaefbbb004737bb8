"""A vendor that answers as a test has written down, and every request of which is checked against its contract."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pinyon.ports.destination import Reply, Request
from pinyon.ports.sender import Sender
from pinyon.testing.oracle import check_body

#: One answer: as it stands, or made from the request; a coroutine answers when it ends.
Answer = Reply | Callable[[Request], Reply | Awaitable[Reply]]


class ScriptedSender(Sender):
    """Gives the answers of the script, one for each request, and then ``otherwise`` for ever."""

    def __init__(self, *script: Answer, otherwise: Answer | None = None) -> None:
        self._script = list(script)
        self.otherwise: Answer = otherwise if otherwise is not None else accept
        #: The events of each request, in the order of the requests.
        self.sent: list[list[dict[str, Any]]] = []
        #: The answer to each request; None while there is none.
        self.replies: list[Reply | None] = []
        #: Bytes of each request's body.
        self.sizes: list[int] = []

    async def send(self, request: Request) -> Reply:
        events = check_body(request.body)
        assert len(events) == request.events
        number = len(self.sent)
        self.sent.append(events)
        self.replies.append(None)
        self.sizes.append(len(request.body))
        await asyncio.sleep(0)  # a network gives way to others
        answer = self._script.pop(0) if self._script else self.otherwise
        made = answer if isinstance(answer, Reply) else answer(request)
        self.replies[number] = given = made if isinstance(made, Reply) else await made
        return given

    async def close(self) -> None:
        """Nothing to close."""

    @property
    def batches(self) -> list[list[str]]:
        """The event ids of each request."""
        return [[event["event_id"] for event in events] for events in self.sent]


def reply(status: int, body: object = None, **headers: str) -> Reply:
    """An answer with a JSON body; ``_`` in the names of headers stands for a hyphen."""
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return Reply(status, named, b"" if body is None else json.dumps(body).encode())


def failure(word: str) -> Reply:
    """No answer at all."""
    return Reply(0, {}, b"", failure=word)


def accept(request: Request) -> Reply:
    """200: every event processed."""
    return verdicts(["processed"] * request.events)


def verdicts(statuses: Sequence[str], status: int = 200) -> Reply:
    """One status for each event, by the shape of Pinterest's ``ConversionApiResponse``; in a 422 within ``details``."""
    events = [
        {"status": word, "error_message": "Event refused." if word == "failed" else None, "warning_message": None}
        for word in statuses
    ]
    body = {
        "num_events_received": len(events),
        "num_events_processed": statuses.count("processed"),
        "events": events,
    }
    if status == 422:
        return reply(422, {"code": 953, "message": "Not all events were successfully processed.", "details": body})
    return reply(status, body)


def refusing(bad: Callable[[dict[str, Any]], bool]) -> Callable[[Request], Reply]:
    """400 for a request with a bad event in it, whole; 200 for all others."""

    def answer(request: Request) -> Reply:
        if any(bad(event) for event in json.loads(request.body)["data"]):
            return reply(400, {"code": 4196, "message": "Invalid request."})
        return accept(request)

    return answer

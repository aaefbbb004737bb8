"""The part of ASGI 3 that is used here, and JSON answers.

Source: ASGI specification 3.0, HTTP connection scope 2.3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from pinyon.domain.errors import PinyonError, RequestRefused, Unavailable

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

JSON: Final = b"application/json"


class Answer(Struct, frozen=True):
    status: int
    body: bytes = b""
    content_type: bytes = JSON
    headers: Headers = ()


class ErrorBody(Struct, frozen=True):
    """What every error says. Rudder's client needs ``code`` and ``message``, PostHog's reads ``detail``."""

    code: str
    message: str
    detail: str


def json_answer(content: Any, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(content))


def error_answer(error: PinyonError) -> Answer:
    headers: Headers = ()
    if isinstance(error, Unavailable):
        headers = ((b"retry-after", str(error.retry_after).encode()),)
    body = ErrorBody(code=error.code, message=error.message, detail=str(error))
    return Answer(error.status, msgspec.json.encode(body), headers=headers)


def not_found() -> Answer:
    advice = "See docs/reference/http.md for the paths of this server."
    return error_answer(RequestRefused("not_found", "There is nothing at this path.", advice, status=404))


def method_not_allowed(*allowed: str) -> Answer:
    names = ", ".join(allowed)
    error = RequestRefused("method_not_allowed", "This path does not take this method.", f"Use {names}.", status=405)
    answer = error_answer(error)
    return Answer(answer.status, answer.body, headers=((b"allow", names.encode()),))


def internal_error() -> Answer:
    advice = "Try again; if it stays so, the server's log says more."
    return error_answer(PinyonError("internal_error", "The server failed on this request.", advice))


async def respond(send: Send, answer: Answer, extra: Headers = ()) -> None:
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", str(len(answer.body)).encode()),
        *extra,
        *answer.headers,
    ]
    if answer.status == 204:
        headers = headers[2:]  # RFC 9110, 8.6: no Content-Length in a 204
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})

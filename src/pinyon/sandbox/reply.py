"""Answers in Pinterest's shapes: JSON bodies, and errors as ``{code, message}`` (schema Error)."""

from typing import Any

import msgspec
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode


def json_reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(_encode(body), status, headers, media_type="application/json")


class Refusal(Exception):
    """A request that is answered with an Error. ``retry_after`` is in whole seconds."""

    def __init__(self, status: int, code: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    def reply(self) -> Response:
        headers = None if self.retry_after is None else {"retry-after": str(self.retry_after)}
        return json_reply({"code": self.code, "message": self.message}, self.status, headers)


# Codes and texts: API description 5.23.0, examples of events/create.
def unauthenticated() -> Refusal:
    return Refusal(401, 2, "Authentication failed.")


def not_permitted() -> Refusal:
    return Refusal(403, 29, "You are not permitted to access that resource.")


def rate_limited(retry_after: int) -> Refusal:
    message = (
        "This request exceeded a rate limit. This can happen if the client exceeds one\n"
        "of the published rate limits within a short time window."
    )
    return Refusal(429, 8, message, retry_after=retry_after)


def ramped_down() -> Refusal:
    return Refusal(503, 4197, "The endpoint has been ramped down and is currently not accepting any traffic.")


def invalid(message: str) -> Refusal:
    return Refusal(400, 4196, message)


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header, empty when there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""

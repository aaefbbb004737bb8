"""One HTTP request, as far as collecting reads it."""

from __future__ import annotations

import asyncio
import base64
import binascii
from urllib.parse import parse_qsl

from pinyon.domain.errors import PinyonError
from pinyon.endpoints.asgi import Receive, Scope
from pinyon.endpoints.collect.encoding import decode
from pinyon.flows.collect.faults import BATCH_TOO_LARGE, BODY_INCOMPLETE, QUERY_INVALID, body_timeout


class Request:
    """Header names are in lower case; of headers sent twice, the last counts."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive

    async def body(self, *, limit: int, timeout: float) -> bytes:
        """The decoded body, at most ``limit`` bytes, both as sent and decoded.

        Raises ``RequestRefused`` (batch_too_large, body_incomplete, encoding_unknown, encoding_corrupt) and
        ``Unavailable`` (body_timeout) after ``timeout`` seconds.
        """
        declared = self.headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > limit:
            raise BATCH_TOO_LARGE.refusal()
        try:
            async with asyncio.timeout(timeout):
                body = await self._read(limit)
        except TimeoutError as error:
            raise body_timeout() from error
        encoding = self.headers.get(b"content-encoding")
        return body if encoding is None else decode(body, encoding, limit)

    async def _read(self, limit: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise BODY_INCOMPLETE.refusal()
            piece = message.get("body", b"")
            size += len(piece)
            if size > limit:
                raise BATCH_TOO_LARGE.refusal()
            pieces.append(piece)
            if not message.get("more_body", False):
                return b"".join(pieces)

    def query(self) -> dict[str, str]:
        """The query's parameters; of names sent twice, the last counts.

        Raises ``RequestRefused`` (query_invalid).
        """
        raw = self.scope.get("query_string") or b""
        try:
            return dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=100, errors="strict"))
        except ValueError as error:
            raise QUERY_INVALID.refusal() from error

    def header_keys(self) -> tuple[str | None, ...]:
        """The write key of Basic authentication (its user name) or Bearer authentication."""
        scheme, _, value = self.headers.get(b"authorization", b"").partition(b" ")
        match scheme.lower():
            case b"basic":
                return (_user_name(value.strip()),)
            case b"bearer":
                return (value.strip().decode("latin-1"),)
        return ()

    def query_key(self) -> str | None:
        """The write key of the query. A query that cannot be read has none."""
        if not self.scope.get("query_string"):
            return None
        try:
            return self.query().get("writeKey")
        except PinyonError:
            return None


def _user_name(value: bytes) -> str | None:
    try:
        return base64.b64decode(value, validate=True).partition(b":")[0].decode()
    except (binascii.Error, UnicodeDecodeError):
        return None

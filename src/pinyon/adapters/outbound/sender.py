"""Sends requests with httpx2."""

from __future__ import annotations

import httpx2

from pinyon.ports.destination import Reply, Request

#: Most bytes of an answer that are read: a batch of 1,000 verdicts is far below it.
ANSWER_LIMIT = 8 * 1024 * 1024


class HttpSender:
    """Implements ``ports.sender.Sender``. One pool of connections; redirects are not followed."""

    def __init__(self, timeout: float) -> None:
        """``timeout`` in seconds, for each of connecting, writing and reading."""
        self._client = httpx2.AsyncClient(timeout=timeout, follow_redirects=False, trust_env=False)

    async def send(self, request: Request) -> Reply:
        try:
            async with self._client.stream(
                request.method, request.url, headers=request.headers, content=request.body
            ) as response:
                body = bytearray()
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > ANSWER_LIMIT:
                        return Reply(0, {}, b"", failure="answer_too_large")
                return Reply(response.status_code, dict(response.headers), bytes(body))
        except httpx2.TimeoutException:
            return Reply(0, {}, b"", failure="timeout")
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return Reply(0, {}, b"", failure=_word(error))

    async def close(self) -> None:
        await self._client.aclose()


def _word(error: Exception) -> str:
    """The kind of failure as one word, without the text of the error, which holds the URL."""
    if isinstance(error, httpx2.ConnectError):
        return "connection_failed"
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return "url_invalid"
    return "connection_broken"

"""Plays a shop's traffic to a server, as its clients would: several at once, retrying what is not acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

import httpx2
from msgspec import Struct

from pinyon.cli.demo.shop import ShopRequest

CLIENTS: Final = 8
#: Answers that a client retries, as the Segment libraries do.
RETRIED: Final = frozenset({408, 429, 500, 502, 503, 504})


class Played(Struct):
    """What was sent and acknowledged, in members."""

    acknowledged: int = 0
    refused: int = 0  # members of requests that were answered with 400: invalid, and recorded as such
    retries: int = 0


async def play(url: str, write_key: str, requests: Iterator[ShopRequest], progress: Callable[[int], None]) -> Played:
    """Returns when every request is acknowledged. ``progress`` is told the members of each."""
    played = Played()
    async with httpx2.AsyncClient(base_url=url, auth=(write_key, ""), trust_env=False, timeout=30) as client:

        async def one_client() -> None:
            for request in requests:
                await _send(client, request, played)
                progress(request.events)

        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(one_client())
    return played


async def _send(client: httpx2.AsyncClient, request: ShopRequest, played: Played) -> None:
    pause = 0.1
    while True:
        try:
            answer = await client.post(request.path, content=request.body, headers=request.headers)
            status = answer.status_code
        except httpx2.TransportError:
            status = 503
        if status == 200:
            played.acknowledged += request.events
            return
        if status not in RETRIED:
            played.refused += request.events
            return
        played.retries += 1
        await asyncio.sleep(pause)
        pause = min(pause * 2, 5.0)

"""``/_sandbox/...``: what a test or a demo asks of the sandbox itself. Not part of Pinterest's API, and open to all."""

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pinyon.sandbox.faults import FaultSpecError
from pinyon.sandbox.reply import Refusal, json_reply
from pinyon.sandbox.state import Sandbox

MAX_PAGE = 1000

T = TypeVar("T")


class FaultsBody(msgspec.Struct, forbid_unknown_fields=True):
    spec: str


class TokenBody(msgspec.Struct, forbid_unknown_fields=True):
    token: Annotated[str, Meta(min_length=1)]
    ad_accounts: list[Annotated[str, Meta(pattern="^[0-9]{1,18}$")]]


class Control:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.routes = [
            Route("/_sandbox/stats", self.stats),
            Route("/_sandbox/events", self.events),
            Route("/_sandbox/requests", self.requests),
            Route("/_sandbox/reset", self.reset, methods=["POST"]),
            Route("/_sandbox/faults", self.faults, methods=["PUT"]),
            Route("/_sandbox/tokens", self.add_token, methods=["POST"]),
            Route("/_sandbox/tokens/{token:path}", self.revoke_token, methods=["DELETE"]),
        ]

    async def stats(self, _request: Request) -> Response:
        """Counts since the start or the last reset; calls with ``test=true`` are in ``test_requests`` alone."""
        return json_reply(self._sandbox.record.stats() | {"faults": self._sandbox.faults.spec})

    async def events(self, request: Request) -> Response:
        """A page of kept events, oldest first. ``next`` is the ``after`` of the following page, null at the end."""
        query = request.query_params
        limit = _whole(query.get("limit", "100"), "limit", least=1, most=MAX_PAGE)
        after = _whole(query.get("after", "0"), "after", least=0)
        wanted = {name: query[name] for name in ("event_id", "event_name", "order_id") if name in query}
        items: list[dict[str, Any]] = []
        more = False
        for kept in self._sandbox.record.find(after, **wanted):
            if len(items) == limit:
                more = True
                break
            items.append(
                {
                    "position": kept.position,
                    "ad_account_id": kept.ad_account_id,
                    "received_at": kept.received_at,
                    "test": False,
                    "event": kept.body,
                }
            )
        return json_reply({"items": items, "next": items[-1]["position"] if more else None})

    async def requests(self, _request: Request) -> Response:
        """The latest calls of events/create, newest first."""
        return json_reply({"items": list(reversed(self._sandbox.record.calls))})

    async def reset(self, _request: Request) -> Response:
        """Forgets what was received and the calls that count towards limits; tokens and faults stay."""
        self._sandbox.reset()
        return Response(status_code=204)

    async def faults(self, request: Request) -> Response:
        body = _decode(await request.body(), FaultsBody)
        try:
            self._sandbox.set_faults(body.spec)
        except FaultSpecError as error:
            raise Refusal(400, 400, str(error)) from error
        return json_reply({"spec": self._sandbox.faults.spec})

    async def add_token(self, request: Request) -> Response:
        body = _decode(await request.body(), TokenBody)
        self._sandbox.tokens[body.token] = frozenset(body.ad_accounts)
        return json_reply({"ad_accounts": sorted(set(body.ad_accounts))}, 201)

    async def revoke_token(self, request: Request) -> Response:
        if self._sandbox.tokens.pop(request.path_params["token"], None) is None:
            raise Refusal(404, 404, "No such token.")
        return Response(status_code=204)


def _decode(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refusal(400, 400, f"The body needs the members {', '.join(shape.__annotations__)}.") from error


def _whole(text: str, name: str, *, least: int, most: int = 2**63) -> int:
    value = int(text) if text.isdecimal() and len(text) < 19 else -1
    if not least <= value <= most:
        raise Refusal(400, 400, f"{name} is a whole number from {least}" + (f" to {most}" if most < 2**63 else ""))
    return value

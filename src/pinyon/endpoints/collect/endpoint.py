"""The paths that events arrive on, and what is answered. Wire facts: docs/reference/http.md."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from msgspec import Struct

from pinyon.config import Settings
from pinyon.domain.chunk import EVENT_TYPES
from pinyon.domain.errors import PinyonError
from pinyon.domain.registry import Source
from pinyon.endpoints.asgi import (
    Answer,
    Headers,
    Receive,
    Scope,
    Send,
    error_answer,
    json_answer,
    method_not_allowed,
    not_found,
    respond,
)
from pinyon.endpoints.collect.peer import MAX_USER_AGENT, TrustedProxies
from pinyon.endpoints.collect.pixel import GIF, event_in
from pinyon.endpoints.collect.request import Request
from pinyon.endpoints.collect.startup import rudder_config, segment_settings
from pinyon.flows.collect import Collect, Envelope, Peer, Receipt, open_batch, open_event
from pinyon.ports.telemetry import Telemetry

Handler = Callable[[Request], Awaitable[Answer]]

SUCCESS: Final = Answer(200, b'{"success": true}')
STATUS_1: Final = Answer(200, b'{"status": 1}')

_CORS: Final[Headers] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Retry-After"),
)
# What browser clients send (npm @segment/analytics-next 1.84.3, @rudderstack/analytics-js 3.34.1). A header that is
# missing here makes the browser refuse to send the event at all.
_ALLOWED_HEADERS: Final = (
    b"authorization",
    b"content-type",
    b"anonymousid",
    b"sentat",
    b"x-retry-count",
    b"rsa-retry-attempt",
    b"rsa-since-last-attempt",
    b"rsa-since-first-attempt",
    b"rsa-retry-reason",
    b"rsa-recovered",
)
_PREFLIGHT: Final = Answer(
    204,
    headers=(
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", b", ".join(_ALLOWED_HEADERS)),
        (b"access-control-max-age", b"86400"),
    ),
)
_NO_STORE: Final[Headers] = ((b"cache-control", b"no-store"),)


class Route(Struct, frozen=True):
    method: str
    handler: Handler


class CollectEndpoint:
    """Takes events in the forms of Segment's, Rudder's and PostHog's clients."""

    def __init__(self, collect: Collect, telemetry: Telemetry, settings: Settings) -> None:
        self._collect = collect
        self._telemetry = telemetry
        self._limit = settings.max_batch_bytes
        self._timeout = settings.body_timeout.total_seconds()
        self._proxies = TrustedProxies(settings.trusted_proxies)
        self._routes = self._table()

    def _table(self) -> dict[str, Route]:
        batch = Route("POST", self._batch)
        ignore = Route("POST", self._ignore)
        posthog = Route("POST", self._posthog)
        table = dict.fromkeys(("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"), batch)
        table |= dict.fromkeys(("/v1/m", "/rsaMetrics"), ignore)
        table |= dict.fromkeys(("/batch", "/i/v0/ai/batch"), posthog)
        table["/i/v1/analytics/events"] = Route("POST", self._posthog_v1)
        table["/sourceConfig"] = Route("GET", self._rudder_config)
        for type_ in EVENT_TYPES:
            single = Route("POST", partial(self._event, type_))
            table |= {f"/v1/{type_}": single, f"/v1/{type_[0]}": single}
            table[f"/v1/pixel/{type_}"] = Route("GET", partial(self._pixel, type_))
        return table

    def handles(self, path: str) -> bool:
        return self._route(path) is not None

    def _route(self, path: str) -> Route | None:
        route = self._routes.get(path) or self._routes.get(path.rstrip("/"))
        if route is not None:
            return route
        match path.rstrip("/").split("/"):
            case ["", "v1", "projects", write_key, "settings"]:
                return Route("GET", partial(self._segment_settings, write_key))
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._route(scope["path"])
        method = scope["method"]
        if route is None:
            await respond(send, not_found(), _CORS)
        elif method == "OPTIONS":
            await respond(send, _PREFLIGHT, _CORS)
        elif method != route.method:
            await respond(send, method_not_allowed(route.method, "OPTIONS"), _CORS)
        else:
            answer = await self._run(route.handler, Request(scope, receive))
            await respond(send, answer, _CORS)

    async def _run(self, handler: Handler, request: Request) -> Answer:
        try:
            answer, code = await handler(request), "ok"
        except PinyonError as error:
            answer, code = error_answer(error), error.code
        except Exception:
            self._telemetry.request(500, "internal_error")
            raise
        self._telemetry.request(answer.status, code)
        return answer

    async def _batch(self, request: Request) -> Answer:
        await self._store(request, open_batch(await self._body(request)))
        return SUCCESS

    async def _event(self, type_: str, request: Request) -> Answer:
        await self._store(request, open_event(await self._body(request), type_))
        return SUCCESS

    async def _posthog(self, request: Request) -> Answer:
        await self._store(request, open_batch(await self._body(request), "posthog"))
        return STATUS_1

    async def _posthog_v1(self, request: Request) -> Answer:
        """This form answers for each event, so a request of bad ones only is no error either.

        The body's ``created_at`` is that of the first try; the time of this try stands in a header.
        """
        sent_at = request.headers.get(b"posthog-request-timestamp", b"").decode("latin-1")
        receipt = await self._submit(request, open_batch(await self._body(request), "posthog", sent_at))
        results: dict[str, dict[str, str]] = {event.message_id: {"result": "ok"} for event in receipt.events}
        for flaw in receipt.flaws:
            if flaw.message_id is not None:
                results[flaw.message_id] = {"result": "drop", "details": flaw.fault.detail}
        return json_answer({"results": results})

    async def _ignore(self, request: Request) -> Answer:
        await self._body(request)
        return SUCCESS

    async def _pixel(self, type_: str, request: Request) -> Answer:
        await self._store(request, open_event(event_in(request.query(), type_), type_))
        return Answer(200, GIF, b"image/gif", _NO_STORE)

    async def _segment_settings(self, write_key: str, request: Request) -> Answer:
        self._collect.source([write_key])
        scheme = self._proxies.forwarded_scheme(request.scope)
        return json_answer(segment_settings(write_key, _host(request), scheme))

    async def _rudder_config(self, request: Request) -> Answer:
        keys = [key for key in (*request.header_keys(), request.query_key()) if key]
        return json_answer(rudder_config(self._collect.source(keys), keys[0]))

    async def _body(self, request: Request) -> bytes:
        return await request.body(limit=self._limit, timeout=self._timeout)

    async def _store(self, request: Request, envelope: Envelope) -> None:
        refusal = (await self._submit(request, envelope)).refusal()
        if refusal is not None:
            raise refusal

    async def _submit(self, request: Request, envelope: Envelope) -> Receipt:
        return await self._collect.submit(self._source(request, envelope), envelope, self._peer(request))

    def _source(self, request: Request, envelope: Envelope) -> Source:
        return self._collect.source((*request.header_keys(), envelope.write_key, request.query_key()))

    def _peer(self, request: Request) -> Peer:
        user_agent = request.headers.get(b"user-agent")
        return Peer(
            ip=self._proxies.client(request.scope),
            user_agent=None if user_agent is None else user_agent[:MAX_USER_AGENT].decode("latin-1"),
        )


def _host(request: Request) -> str:
    named = request.headers.get(b"host")
    if named is not None:
        return named.decode("latin-1")
    host, port = request.scope["server"]
    return f"{host}:{port}"

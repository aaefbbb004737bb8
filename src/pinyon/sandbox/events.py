"""``POST /v5/ad_accounts/{ad_account_id}/events``, operation events/create."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pinyon.sandbox import reply
from pinyon.sandbox.config import is_ad_account
from pinyon.sandbox.record import Call
from pinyon.sandbox.schema import Event, SchemaError, read_events, split_events
from pinyon.sandbox.state import Sandbox
from pinyon.sandbox.verdict import FAULT, Verdict, judge

# Pinterest publishes no size. 1000 events are about 1.5 MB; this only bounds memory.
MAX_BODY_BYTES = 16 * 1024 * 1024

_FAULTS: dict[str, Callable[[], reply.Refusal]] = {
    "401": reply.unauthenticated,
    "429": lambda: reply.rate_limited(1),
    "500": lambda: reply.Refusal(500, 500, "Sandbox fault: internal error"),
    "503": reply.ramped_down,
}


class Disconnected(Exception):
    """The client went away before it had an answer."""


@dataclass(slots=True)
class Outcome:
    """What became of a call, as far as it is known; the members are those of ``Call``."""

    events: int | None = None
    failed: int | None = None
    message: str = ""


class CreateEvents:
    """ASGI application of the one route that must be fast."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        received_at = self._sandbox.config.now()
        request = Request(scope, receive)
        outcome = Outcome()
        response: Response | None = None
        try:
            response = await self._answer(request, outcome)
        except reply.Refusal as refusal:
            outcome.message = refusal.message
            response = refusal.reply()
        except Disconnected:
            pass
        call = Call(
            received_at=received_at,
            ad_account_id=_shown_account(request),
            test=_is_test(request) is True,
            status=response.status_code if response else None,
            events=outcome.events,
            failed=outcome.failed,
            message=outcome.message,
            ms=round((time.perf_counter() - started) * 1000, 2),
        )
        self._sandbox.record.add_call(call)
        if response:
            await response(scope, receive, send)

    async def _answer(self, request: Request, outcome: Outcome) -> Response:
        body = await _read_body(request)
        account = request.path_params["ad_account_id"]
        test = _is_test(request)
        self._admit(request, account, test=bool(test))
        if not test:
            await self._play_faults(request)
        if test is None:
            raise reply.invalid("Invalid request: the query parameter 'test' must be true or false")
        if "content-encoding" in request.headers:
            raise reply.Refusal(415, 415, "Content-Encoding is not supported.")
        events = self._read(body, test=test)
        verdicts = self._judge(events, test=test)
        outcome.events = len(events)
        outcome.failed = sum(verdict.failed for verdict in verdicts)
        outcome.message = next((verdict.error_message for verdict in verdicts if verdict.failed), "")
        if not test:
            now = self._sandbox.config.now()
            self._sandbox.record.add_batch(account, now, events, split_events(body), verdicts)
        return self._batch_reply(verdicts, outcome.failed)

    def _admit(self, request: Request, account: str, *, test: bool) -> None:
        sandbox = self._sandbox
        token = reply.bearer(request.headers.get("authorization"))
        if token not in sandbox.tokens:
            raise reply.unauthenticated()
        if account not in sandbox.tokens[token]:
            raise reply.not_permitted()
        now = sandbox.config.now()
        window, key = (sandbox.test_calls_per_second, token) if test else (sandbox.calls_per_minute, account)
        if wait := window.admit(key, now):
            raise reply.rate_limited(wait)

    async def _play_faults(self, request: Request) -> None:
        faults = self._sandbox.faults
        fault = self._sandbox.draw_fault()
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        if fault == "timeout":
            await self._hang(request.receive, faults.timeout_s)
        if fault:
            refusal = _FAULTS[fault]
            raise refusal()

    async def _hang(self, receive: Receive, seconds: float) -> None:
        gone = asyncio.ensure_future(_disconnect(receive))
        closing = asyncio.ensure_future(self._sandbox.closing.wait())
        done, pending = await asyncio.wait({gone, closing}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if gone in done:
            raise Disconnected
        raise reply.Refusal(504, 504, "Sandbox fault: no answer in time")

    def _read(self, body: bytes, *, test: bool) -> Sequence[Event]:
        sandbox = self._sandbox
        try:
            events = read_events(body, accept_advertiser_tracking=sandbox.config.accept_advertiser_tracking)
        except SchemaError as error:
            raise reply.invalid(str(error)) from error
        faults = sandbox.faults
        if faults.refuse and not test and any(faults.refuses(event.event_id) for event in events):
            raise reply.invalid("Invalid request: Sandbox fault: the batch holds an event that is refused")
        return events

    def _judge(self, events: Sequence[Event], *, test: bool) -> list[Verdict]:
        now = self._sandbox.config.now()
        verdicts = [judge(event, now) for event in events]
        faults = self._sandbox.faults
        if test or not faults.partial:
            return verdicts
        return [
            FAULT if faults.fails(event.event_id) else verdict for event, verdict in zip(events, verdicts, strict=True)
        ]

    def _batch_reply(self, verdicts: Sequence[Verdict], failed: int) -> Response:
        received = len(verdicts)
        answer = {"num_events_received": received, "num_events_processed": received - failed, "events": verdicts}
        if not failed or (failed < received and self._sandbox.config.partial_status == 200):
            return reply.json_reply(answer)
        message = "Not all events were successfully processed."
        return reply.json_reply({"code": 953, "message": message, "details": answer}, 422)


def _is_test(request: Request) -> bool | None:
    """``None`` when the parameter is neither true nor false."""
    return {"true": True, "false": False}.get(request.query_params.get("test", "false").lower())


def _shown_account(request: Request) -> str:
    """Callers may write anything into the path; only what can be an ad account id is remembered."""
    account: str = request.path_params["ad_account_id"]
    return account if is_ad_account(account) else "?"


async def _read_body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise reply.Refusal(413, 413, f"The body is larger than {MAX_BODY_BYTES} bytes.")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

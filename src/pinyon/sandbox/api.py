"""The ASGI application: Pinterest's routes, the sandbox's own, and the page."""

import secrets

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pinyon.sandbox.accounts import Accounts
from pinyon.sandbox.config import SandboxConfig
from pinyon.sandbox.control import Control
from pinyon.sandbox.events import CreateEvents
from pinyon.sandbox.page import Page
from pinyon.sandbox.reply import Refusal, json_reply
from pinyon.sandbox.state import Sandbox


def create_app(config: SandboxConfig | None = None) -> ASGIApp:
    """A sandbox with its own memory; any ASGI server can run it, ``serve`` is the one that comes with it."""
    return build_app(Sandbox(config or SandboxConfig()))


def build_app(sandbox: Sandbox) -> ASGIApp:
    app = Starlette(
        routes=[
            Route("/v5/ad_accounts/{ad_account_id}/events", CreateEvents(sandbox), methods=["POST"]),
            *Accounts(sandbox).routes,
            *Control(sandbox).routes,
            *Page(sandbox).routes,
        ],
        exception_handlers={Refusal: _refused, HTTPException: _not_routed, Exception: _broken},
    )
    return RequestId(app)


class RequestId:
    """Puts ``x-pinterest-rid`` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                rid = f"{secrets.randbits(53):016d}".encode()
                message["headers"] = [*message.get("headers", ()), (b"x-pinterest-rid", rid)]
            await send(message)

        await self._app(scope, receive, send_with_id)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return error.reply()


async def _not_routed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return json_reply({"code": error.status_code, "message": error.detail}, error.status_code, headers)


async def _broken(_request: Request, _error: Exception) -> Response:
    return json_reply({"code": 500, "message": "The sandbox failed to answer."}, 500)

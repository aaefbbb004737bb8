"""Who the token belongs to, and the ad accounts it may use (operations user_account/get, ad_accounts/list and get)."""

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pinyon.sandbox.reply import bearer, json_reply, not_permitted, unauthenticated
from pinyon.sandbox.state import Sandbox

_USERNAME = "pinyon_sandbox"
# Any moment will do; a fixed one keeps answers equal from run to run.
_CREATED = 1_700_000_000


class Accounts:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.routes = [
            Route("/v5/user_account", self.user_account),
            Route("/v5/ad_accounts", self.ad_accounts),
            Route("/v5/ad_accounts/{ad_account_id}", self.ad_account),
        ]

    async def user_account(self, request: Request) -> Response:
        token = self._token(request)
        user = {
            "account_type": "BUSINESS",
            "id": _user_id(token),
            "username": _USERNAME,
            "business_name": "Pinyon sandbox",
            "about": "",
            "profile_image": "",
            "website_url": "",
            "board_count": 0,
            "pin_count": 0,
            "follower_count": 0,
            "following_count": 0,
            "monthly_views": 0,
        }
        return json_reply(user)

    async def ad_accounts(self, request: Request) -> Response:
        token = self._token(request)
        items = [_ad_account(account, token) for account in sorted(self._sandbox.tokens[token])]
        return json_reply({"items": items, "bookmark": None})

    async def ad_account(self, request: Request) -> Response:
        token = self._token(request)
        account = request.path_params["ad_account_id"]
        if account not in self._sandbox.tokens[token]:
            raise not_permitted()
        return json_reply(_ad_account(account, token))

    def _token(self, request: Request) -> str:
        token = bearer(request.headers.get("authorization"))
        if token not in self._sandbox.tokens:
            raise unauthenticated()
        return token


def _ad_account(account: str, token: str) -> dict[str, Any]:
    return {
        "id": account,
        "name": f"Sandbox {account}",
        "owner": {"id": _user_id(token), "username": _USERNAME},
        "country": "US",
        "currency": "USD",
        "permissions": ["OWNER"],
        "created_time": _CREATED,
        "updated_time": _CREATED,
    }


def _user_id(token: str) -> str:
    """Digits that stay the same for a token and tell nothing of it."""
    return str(int.from_bytes(hashlib.blake2b(token.encode(), digest_size=7).digest()))

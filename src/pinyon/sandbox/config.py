"""What a sandbox is started with."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pinyon.sandbox.faults import parse_faults

DEFAULT_TOKEN = "pina_sandbox"  # noqa: S105  not a secret: the sandbox tells it on its page
DEFAULT_AD_ACCOUNT = "549755885175"

_AD_ACCOUNT = re.compile(r"[0-9]{1,18}")


def _default_tokens() -> Mapping[str, frozenset[str]]:
    return {DEFAULT_TOKEN: frozenset({DEFAULT_AD_ACCOUNT})}


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxConfig:
    """Raises ``FaultSpecError`` (a ``ValueError``) when ``faults`` cannot be read.

    Attributes:
        tokens: Ad account ids each token may send to.
        rate_limit_per_minute: Calls of events/create per ad account in any 60 s; 0 is no limit.
            Source of the default: O:events/create, API description 5.23.0.
        test_rate_limit_per_second: Calls with ``test=true`` per token in any second; 0 is no limit.
            Source of the default: developers.pinterest.com, rate limits.
        partial_status: Status of a batch of which some events failed and some did not. Which one Pinterest
            answers is not known, so a client must read both.
        accept_advertiser_tracking: Take ``advertiser_tracking_enabled``, which the published schema refuses.
        faults: Specification as ``parse_faults`` reads it.
        seed: Seed of faults whose specification names none.
        keep: Processed events kept for ``GET /_sandbox/events``; older ones are dropped, counts go on.
        now: Unix time in seconds.
    """

    tokens: Mapping[str, frozenset[str]] = field(default_factory=_default_tokens)
    rate_limit_per_minute: int = 5000
    test_rate_limit_per_second: int = 10
    partial_status: Literal[200, 422] = 422
    accept_advertiser_tracking: bool = False
    faults: str = ""
    seed: int = 0
    keep: int = 200_000
    now: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        parse_faults(self.faults)


def is_ad_account(text: str) -> bool:
    """Source: API description 5.23.0, components/parameters/path_ad_account_id."""
    return bool(_AD_ACCOUNT.fullmatch(text))


def parse_token(option: str) -> tuple[str, frozenset[str]]:
    """Reads ``"token:account[,account]"``.

    Raises ``ValueError``, whose text does not repeat the token.
    """
    token, _, accounts = option.rpartition(":")
    ids = frozenset(account.strip() for account in accounts.split(","))
    if not token or not all(map(is_ad_account, ids)):
        raise ValueError("a token is given as token:account[,account], with accounts of 1 to 18 digits")
    return token, ids

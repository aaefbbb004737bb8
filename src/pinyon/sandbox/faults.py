"""Faults on purpose: a rate for each kind, decided by hashes of a seed so that a run can be repeated."""

import hashlib
import math
from collections.abc import Mapping
from typing import Literal

import msgspec

Fault = Literal["401", "429", "500", "503", "timeout"]

_REQUEST_FAULTS: tuple[Fault, ...] = ("401", "429", "500", "503", "timeout")
_RATES = (*_REQUEST_FAULTS, "partial", "refuse")
_AMOUNTS = ("latency_ms", "timeout_s", "seed")


class FaultSpecError(ValueError):
    """A fault specification that cannot be read. The text says which part, and what is allowed."""


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong, and how often (rates are 0..1).

    ``requests`` holds faults of a whole request; one request has at most one of them, so their sum is at most 1.
    None of them records an event. ``timeout`` reads the request and leaves it without an answer until the client goes,
    or for ``timeout_s``, then answers 504.
    ``partial`` is the share of events answered ``failed``; ``refuse`` the share of events that make Pinterest
    refuse (400) every batch they are in. Both are properties of an ``event_id``: a retry meets the same verdict.
    ``latency_ms`` is added before every answer. Calls with ``test=true`` meet no fault.
    """

    spec: str = ""
    requests: Mapping[Fault, float] = msgspec.field(default_factory=dict)
    partial: float = 0.0
    refuse: float = 0.0
    latency_ms: float = 0.0
    timeout_s: float = 60.0
    seed: int = 0

    def of_request(self, number: int) -> Fault | None:
        """The fault of the request with this number, counted from 0 since the faults were set."""
        if not self.requests:
            return None
        drawn = _draw(self.seed, "request", str(number))
        for fault, rate in self.requests.items():
            if drawn < rate:
                return fault
            drawn -= rate
        return None

    def fails(self, event_id: str) -> bool:
        return self.partial > 0 and _draw(self.seed, "partial", event_id) < self.partial

    def refuses(self, event_id: str) -> bool:
        return self.refuse > 0 and _draw(self.seed, "refuse", event_id) < self.refuse


def parse_faults(spec: str, *, seed: int = 0) -> Faults:
    """Reads ``"429=0.05,503=0.02,timeout=0.01,partial=0.03,seed=7"``; the empty text is no faults.

    ``seed`` is used when the text names none. Raises ``FaultSpecError``.
    """
    parts: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in spec.split(","))):
        name, value = _part(part)
        if name in parts:
            raise FaultSpecError(f"fault {name!r} is given twice")
        parts[name] = value
    requests = {name: parts[name] for name in _REQUEST_FAULTS if parts.get(name)}
    if sum(requests.values()) > 1 + 1e-9:
        raise FaultSpecError(f"the rates of {', '.join(requests)} add up to more than 1")
    return Faults(
        spec=",".join(f"{name}={value:g}" for name, value in parts.items()),
        requests=requests,
        partial=parts.get("partial", 0.0),
        refuse=parts.get("refuse", 0.0),
        latency_ms=parts.get("latency_ms", 0.0),
        timeout_s=parts.get("timeout_s", 60.0),
        seed=int(parts.get("seed", seed)),
    )


def _part(part: str) -> tuple[str, float]:
    name, equals, text = (piece.strip() for piece in part.partition("="))
    if name not in _RATES + _AMOUNTS or not equals:
        allowed = ", ".join(f"{known}=" for known in _RATES + _AMOUNTS)
        raise FaultSpecError(f"fault {part!r} is not known; allowed are {allowed} separated by commas")
    try:
        value = int(text) if name == "seed" else float(text)
    except ValueError:
        value = math.nan
    top = 1 if name in _RATES else math.inf
    if not 0 <= value <= top or math.isinf(value):
        allowed = {"seed": "a whole number, 0 or more"}.get(name, "a number from 0 to 1" if top == 1 else "0 or more")
        raise FaultSpecError(f"fault {part!r}: {name} takes {allowed}")
    return name, value


def _draw(seed: int, *key: str) -> float:
    """A number in 0..1 that is always the same for the same seed and key, evenly spread over keys."""
    text = "\0".join((str(seed), *key))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) / 2**64

"""A Pinterest conversions destination as configured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pinyon.destinations.pinterest_conversions import mask, payload, reply, spec
from pinyon.domain.conversion import ClearedEvent
from pinyon.domain.delivery import Verdict
from pinyon.ports.destination import Reply, Request, Withheld


class PinterestConversions:
    """Implements ``ports.destination.Connection``."""

    forms = payload.FORMS
    batch_events = spec.BATCH_EVENTS
    batch_bytes = spec.BATCH_BYTES
    rate_per_minute = float(spec.CALLS_PER_MINUTE)

    def __init__(self, settings: Mapping[str, str], secrets: Mapping[str, str], base_url: str) -> None:
        account = settings[spec.AD_ACCOUNT_ID.name]
        self.rate_key = f"pinterest:{account}"
        self._url = f"{base_url.rstrip('/')}/ad_accounts/{account}/events"
        self._headers = {
            "Authorization": f"Bearer {secrets[spec.CONVERSION_TOKEN.name]}",
            "Content-Type": "application/json",
        }

    def encode(self, event: ClearedEvent, now: float) -> bytes | Withheld:
        return payload.encode(event, now)

    def prepare(self, batch: Sequence[bytes]) -> Request:
        body = b'{"data":[' + b",".join(batch) + b"]}"
        return Request("POST", self._url, self._headers, body, len(batch))

    def read(self, request: Request, reply_: Reply) -> Verdict:
        return reply.read(request.events, reply_)

    def reference(self, reply_: Reply) -> str:
        return reply_.headers.get("x-pinterest-rid", "")[:64]

    def mask(self, payload_: bytes) -> dict[str, object]:
        return mask.mask(payload_)

"""The default mapping: from an event that passed consent to what a destination is handed.

Straight-line code over typed members: a path is never walked per event.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from pinyon.domain.chunk import Submission
from pinyon.domain.consent import Receipt
from pinyon.domain.conversion import ClearedEvent, Forms
from pinyon.domain.event import Event
from pinyon.domain.event_time import correct_time, parse_time
from pinyon.domain.identity import is_local
from pinyon.domain.mapping.commerce import read_commerce
from pinyon.domain.mapping.person import read_person
from pinyon.domain.mapping.platform import language, os_family, read_app, read_device
from pinyon.domain.mapping.values import first_text
from pinyon.domain.registry import Source

#: For whoever asks what would be sent and sends nothing.
NEUTRAL: Final = Forms()


class Origin(Struct, frozen=True):
    """Where an event came in: its source, and what was known of the request."""

    source: Source
    received_at: float
    sent_at: float | None
    ip: str | None  # of the person's browser, when it was the peer
    user_agent: str | None


def origin_of(submission: Submission, source: Source) -> Origin:
    """The peer counts as the person's own browser where a web source is spoken to by one.

    A local address is a proxy's that ``trusted_proxies`` does not name, and would be the same for everybody. A shop's
    back end that uses the same write key has its own address and a library's user agent: neither is the person's.
    """
    agent = submission.user_agent
    is_browser = source.kind == "web" and agent is not None and agent.startswith("Mozilla/")
    return Origin(
        source=source,
        received_at=submission.received_at,
        sent_at=submission.sent_at,
        ip=submission.ip if is_browser and not is_local(submission.ip) else None,
        user_agent=agent if is_browser else None,
    )


def occurred_at(event: Event, origin: Origin) -> float:
    """When the event happened, by our clock: seconds since the epoch, never later than it was received."""
    stated = event.timestamp if event.timestamp is not None else event.original_timestamp
    sent_at = origin.sent_at
    if sent_at is None and event.sent_at is not None:
        sent_at = parse_time(event.sent_at)
    return correct_time(parse_time(stated) if stated is not None else None, sent_at, origin.received_at)


def clear(
    event: Event, *, message_id: str, name: str, receipt: Receipt, origin: Origin, forms: Forms = NEUTRAL
) -> ClearedEvent:
    """The event under the vendor's event name ``name``, all default fields read into the destination's forms.

    ``receipt`` must be a granted one: that a receipt is needed is what keeps events without consent away from
    destinations.
    """
    assert receipt.granted
    context = event.context
    family = os_family(event)
    cleared = forms.event(
        name,
        message_id,
        int(occurred_at(event, origin)),
        "web" if family is None else f"app_{family}",
        read_person(event, origin.ip, origin.user_agent, forms.identity),
    )
    cleared.commerce = read_commerce(event, origin.source.currency, forms)
    if family is not None:
        cleared.app = read_app(event, forms.app)
        cleared.device = read_device(event, family, forms.device)
        cleared.opt_out = context.device.ad_tracking_enabled is False
    elif context.page.url is not None or event.properties.url is not None:
        cleared.source_url = first_text(context.page.url, event.properties.url)
    if context.locale is not None:
        cleared.language = language(context.locale)
    return cleared

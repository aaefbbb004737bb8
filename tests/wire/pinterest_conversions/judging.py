"""One event through the rules of a Pinterest destination, as a lane asks them."""

import json

from pinyon.destinations.pinterest_conversions import PinterestConversionsType
from pinyon.domain import posthog
from pinyon.domain.chunk import ReceivedEvent, Submission
from pinyon.domain.registry import Destination, Source
from pinyon.flows.route import Ready, Router

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z
KIND = PinterestConversionsType()
SETTINGS, SECRETS = {"ad_account_id": "549755885175"}, {"conversion_token": "pina_token"}


def source(kind="web", currency=None, consent_default="denied"):
    return Source("src_1", "ws", "shop", kind, (), consent_default, currency)


def router(source, categories=(), preset="pinyon"):
    destination = Destination("dst", "ws", "pin", KIND.name, (source.id,), SETTINGS, SECRETS, categories, preset)
    return Router(destination, KIND, KIND.connect(SETTINGS, SECRETS, "https://pinterest.invalid/v5"), [source])


def received_event(event, dialect="segment"):
    """The event as collecting would store it; ``event`` is JSON data, or bytes for what is not."""
    if isinstance(event, bytes):
        return ReceivedEvent("track", "m-1", event)
    if dialect == "posthog":
        return ReceivedEvent(posthog.event_type(event["event"]), event["uuid"], json.dumps(event).encode())
    return ReceivedEvent(event["type"], event.get("messageId", "m-1"), json.dumps(event).encode())


def judge(event, *, at=None, now=NOW, sent_at=None, ip=None, user_agent=None, dialect="segment", categories=()):
    """``at`` is the source; a web source without one."""
    at = at or source()
    rules = router(at, categories)
    submission = Submission(at.id, now, sent_at, dialect, ip, user_agent, [])
    return rules.judge(received_event(event, dialect), dialect, rules.origin(submission), now)


def payload(event, **options):
    verdict = judge(event, **options)
    assert isinstance(verdict, Ready), verdict
    return json.loads(verdict.payload)

"""An event, as JSON data, through the default mapping."""

import json

from pinyon.domain.chunk import Submission
from pinyon.domain.consent import NONE_NEEDED
from pinyon.domain.event import read_event
from pinyon.domain.mapping import clear, origin_of
from pinyon.domain.registry import Source

NOW = 1_790_000_000.0  # 2026-09-21T14:13:20Z
WEB = Source("src_web", "ws", "shop", "web", ())
SERVER = Source("src_server", "ws", "back end", "server", ())
BROWSER = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"


def cleared(event, source=WEB, received_at=NOW, sent_at=None, ip=None, user_agent=None):
    submission = Submission(source.id, received_at, sent_at, "segment", ip, user_agent, [])
    origin = origin_of(submission, source)
    read = read_event(json.dumps(event).encode())
    return clear(read, message_id="m-1", name="checkout", receipt=NONE_NEEDED, origin=origin)


def commerce(source=WEB, **properties):
    """What is read of an order with these properties; everything else of the event is left out."""
    return cleared({"properties": properties}, source=source).commerce


def person(**members):
    return cleared(members).identity

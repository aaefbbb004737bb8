"""The client libraries the demo shop uses: how each wraps a call and what it sends over HTTP.

The shapes (paths, content types, id prefixes, where traits and times stand) are those seen on the wire from
segment-analytics-python 2.4.0, @segment/analytics-node 3.1.0, @segment/analytics-next 1.84.3, rudder-sdk-python 2.1.9
and @rudderstack/analytics-js 3.34.1. The phone ones follow analytics-swift and analytics-kotlin more loosely.
"""

import functools
import random
from collections import deque
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from pinyon.cli.demo.visitors import GRANTED, REFUSED, Visitor, uuid
from pinyon.cli.demo.visits import Step, Visit


class Style(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between client libraries."""

    library: dict[str, str]
    path: str  # of a batch; of a single event, where to append its type
    per_event: Literal["batch", "letter", "word"] = "batch"
    content_type: str = "application/json"
    user_agent: str | None = None  # None: the visitor's own browser
    batch: tuple[int, int] = (20, 100)  # fewest and most members of a request
    id_prefix: str = ""  # stands before the milliseconds and the UUID
    time_member: str = "timestamp"
    microseconds: bool = False
    zone: str = "Z"
    absent_id: str | None = None  # what stands for an unknown user id, where `sends_absent` is set
    sends_absent: bool = False
    traits_in_context: bool = False
    sent_at_in_event: bool = False
    phone: Literal["ios", "android"] | None = None
    extra: dict[str, Any] = {}


SERVERS: Final = (
    Style(
        library={"name": "analytics-python", "version": "2.4.0"},
        path="/v1/batch",
        user_agent="analytics-python/2.4.0",
        zone="+00:00",
        sends_absent=True,
        extra={"integrations": {}},
    ),
    Style(
        library={"name": "@segment/analytics-node", "version": "3.1.0"},
        path="/v1/batch",
        user_agent="analytics-node-next/latest",
        id_prefix="node-next",
        extra={"integrations": {}, "_metadata": {"nodeVersion": "22.11.0"}},
    ),
    Style(
        library={"name": "analytics-python", "version": "2.1.9"},
        path="/v1/batch",
        user_agent="analytics-python/2.1.9",
        zone="+00:00",
        microseconds=True,
        sends_absent=True,
        traits_in_context=True,
        extra={"channel": "server", "integrations": {"All": True}},
    ),
)

_SEGMENT_BROWSER: Final = Style(
    library={"name": "analytics.js", "version": "next-1.84.3"},
    path="/v1/",
    per_event="letter",
    content_type="text/plain",
    batch=(1, 1),
    id_prefix="ajs-next",
    sent_at_in_event=True,
    extra={"integrations": {"Segment.io": True}, "_metadata": {"bundled": ["Segment.io"], "unbundled": []}},
)
BROWSERS: Final = (
    _SEGMENT_BROWSER,
    msgspec.structs.replace(_SEGMENT_BROWSER, path="/v1/b", per_event="batch", batch=(10, 10), sent_at_in_event=False),
    Style(
        library={"name": "RudderLabs JavaScript SDK", "version": "3.34.1"},
        path="/v1/",
        per_event="word",
        content_type="application/json;charset=UTF-8",
        batch=(1, 1),
        time_member="originalTimestamp",
        absent_id="",
        sends_absent=True,
        traits_in_context=True,
        sent_at_in_event=True,
        extra={"channel": "web", "integrations": {"All": True}},
    ),
)

_SHOP_APP: Final = {"name": "Juniper & Oak", "version": "4.2.0", "build": "4200", "namespace": "example.shop.app"}
_PHONES: Final[dict[str, dict[str, Any]]] = {
    "ios": {
        "app": _SHOP_APP,
        "device": {"manufacturer": "Apple", "model": "iPhone15,4", "type": "ios"},
        "os": {"name": "iOS", "version": "17.5"},
        "network": {"wifi": True, "cellular": False},
        "screen": {"width": 393, "height": 852},
    },
    "android": {
        "app": _SHOP_APP,
        "device": {"manufacturer": "Google", "model": "Pixel 8", "type": "android"},
        "os": {"name": "Android", "version": "14"},
        "network": {"wifi": False, "cellular": True},
        "screen": {"width": 412, "height": 915},
    },
}
_IOS: Final = Style(
    library={"name": "analytics-swift", "version": "1.7.3"},
    path="/v1/b",
    content_type="application/json; charset=utf-8",
    user_agent="analytics-ios/1.7.3",
    batch=(20, 20),
    phone="ios",
    extra={"integrations": {}},
)
_ANDROID: Final = msgspec.structs.replace(
    _IOS,
    library={"name": "analytics-kotlin", "version": "1.19.2"},
    user_agent="analytics-kotlin/1.19.2",
    phone="android",
)
PHONES: Final = (_IOS, _ANDROID)


class Member(msgspec.Struct, frozen=True, gc=False):
    """One element of a batch, encoded. `fault` is why a server must refuse it; None for a good one."""

    json: msgspec.Raw
    name: str  # the event name of a track call, else the type
    type: str
    consent: bool | None
    fault: str | None = None
    duplicate: bool = False


class Client:
    """One running copy of a library: a server's, or that of one visitor's browser or phone.

    It sends at ``now``; its clock is ``clock_skew`` seconds ahead, in event times and `sentAt` alike.
    """

    def __init__(
        self, rng: random.Random, style: Style, now: float, clock_skew: float, owner: Visitor | None = None
    ) -> None:
        self.style = style
        self.owner = owner
        self.batches = style.per_event == "batch"
        self.queue: list[Member] = []
        self.sent: deque[Member] = deque(maxlen=200)
        self._rng = rng
        self._skew = clock_skew
        self._sent_at = self._time(now)
        self._room = rng.randint(*style.batch)

    @property
    def full(self) -> bool:
        return len(self.queue) >= self._room

    def context(self, visitor: Visitor) -> dict[str, Any]:
        """What stays the same in `context` during a visit."""
        style = self.style
        context: dict[str, Any] = {
            "library": style.library,
            "locale": visitor.market.locale,
            "timezone": visitor.market.timezone,
        }
        if style.phone:
            context |= _PHONES[style.phone]
            advertising_id = visitor.device_id.upper() if style.phone == "ios" else visitor.device_id
            ids = {"id": visitor.anonymous_id, "advertisingId": advertising_id, "adTrackingEnabled": True}
            context["device"] = context["device"] | ids
        else:
            context["userAgent"] = visitor.user_agent
        if self.owner is None:
            context["ip"] = visitor.ip
        if visitor.consent is not None:
            context["consent"] = GRANTED if visitor.consent else REFUSED
        return context

    def wrap(self, step: Step, visit: Visit, context: dict[str, Any]) -> dict[str, Any]:
        """The step as this library puts it into JSON: ids, times and context added."""
        style, visitor = self.style, visit.visitor
        context = context.copy()
        if visit.page is not None:
            context["page"] = visit.page
        if visit.campaign is not None:
            context["campaign"] = visit.campaign
        event = {**step, "messageId": self.message_id(visit.at), "anonymousId": visitor.anonymous_id}
        if style.traits_in_context and step["type"] == "identify":
            context["traits"] = event.pop("traits")
        if visitor.user_id is not None:
            event["userId"] = visitor.user_id
        elif style.sends_absent:
            event["userId"] = style.absent_id
        event[style.time_member] = self._time(visit.at)
        if style.sent_at_in_event:
            event["sentAt"] = self._sent_at
        event["context"] = context
        event.update(style.extra)
        return event

    def message_id(self, at: float) -> str:
        prefix = self.style.id_prefix
        return f"{prefix}-{int((at + self._skew) * 1000)}-{uuid(self._rng)}" if prefix else uuid(self._rng)

    def submission(self) -> tuple[str, bytes, dict[str, str]]:
        """Path, body and headers that send the queue; empties it."""
        style = self.style
        if self.batches:
            path = style.path
            body = msgspec.json.encode({"batch": [member.json for member in self.queue], "sentAt": self._sent_at})
        else:
            (member,) = self.queue
            path = style.path + (member.type[0] if style.per_event == "letter" else member.type)
            body = bytes(member.json)
        headers = {"Content-Type": style.content_type}
        if self.owner is not None:  # a visitor's own device reaches the server through the shop's proxy
            headers["X-Forwarded-For"] = self.owner.ip
        headers["User-Agent"] = style.user_agent or (self.owner.user_agent if self.owner else "")
        self.queue.clear()
        self._room = self._rng.randint(*style.batch)
        return path, body, headers

    def _time(self, at: float) -> str:
        seconds, micros = divmod(int((at + self._skew) * 1_000_000), 1_000_000)
        if self.style.microseconds:
            return f"{_second(seconds)}.{micros:06d}{self.style.zone}"
        return f"{_second(seconds)}.{micros // 1000:03d}{self.style.zone}"


@functools.lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    """ISO 8601 of seconds since 1970. Cached: formatting each time anew takes a tenth of all generating time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")

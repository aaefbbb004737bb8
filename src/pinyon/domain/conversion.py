"""What the mapping hands to a destination: an event that passed consent, without clear text.

These are forms. A destination declares its own as subclasses that give each member the vendor's name, and the mapping
fills in the destination's: so a payload is built once and encoded as it stands. There is no member for an e-mail
address, a phone number or a name in clear: what a destination is handed cannot leak them.
"""

from __future__ import annotations

from msgspec import Struct

from pinyon.domain.identity import HashedIdentity


class Item(Struct, gc=False, omit_defaults=True):
    """A product in an order, cart or page."""

    id: str | None = None
    name: str | None = None
    category: str | None = None
    brand: str | None = None
    price: str | None = None  # exact decimal text, of one piece
    quantity: int | None = None


class Commerce(Struct, gc=False, omit_defaults=True):
    """What was looked at, searched, put in the cart or bought."""

    value: str | None = None  # exact decimal text
    currency: str | None = None  # ISO 4217
    order_id: str | None = None
    item_ids: list[str] | None = None
    items: list[Item] | None = None
    item_count: int | None = None
    search: str | None = None
    name: str | None = None
    category: str | None = None
    brand: str | None = None
    predicted_value: str | None = None  # exact decimal text


class AppFacts(Struct, gc=False, omit_defaults=True):
    """The app that an event comes from."""

    name: str | None = None
    package: str | None = None
    version: str | None = None


class DeviceFacts(Struct, gc=False, omit_defaults=True):
    """The device that an app runs on."""

    brand: str | None = None
    model: str | None = None
    type: str | None = None
    os_name: str | None = None
    os_family: str | None = None  # "ios" or "android"
    os_version: str | None = None
    carrier: str | None = None
    network: str | None = None  # "wifi" when it is known to be
    locale: str | None = None
    timezone: str | None = None


class ClearedEvent(Struct, gc=False, omit_defaults=True):
    """An event that passed consent for one destination. ``mapping.clear`` makes it, from a granted receipt alone."""

    name: str  # the vendor's event name
    event_id: str
    occurred_at: int  # seconds since the epoch
    action_source: str  # "web", "app_ios", "app_android" or "offline"
    identity: HashedIdentity
    source_url: str | None = None
    language: str | None = None  # ISO 639-1
    opt_out: bool = False  # the person opted out, or the device limits ad tracking
    commerce: Commerce | None = None
    app: AppFacts | None = None
    device: DeviceFacts | None = None


class Forms(Struct, frozen=True):
    """The forms of one destination."""

    event: type[ClearedEvent] = ClearedEvent
    identity: type[HashedIdentity] = HashedIdentity
    commerce: type[Commerce] = Commerce
    item: type[Item] = Item
    app: type[AppFacts] = AppFacts
    device: type[DeviceFacts] = DeviceFacts

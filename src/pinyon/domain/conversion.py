"""What goes from the rules to a vendor's face: an event that passed consent, without clear text."""

from __future__ import annotations

from msgspec import Struct

from pinyon.domain.consent import Receipt
from pinyon.domain.identity import HashedIdentity


class Item(Struct, gc=False):
    """A product in an order, cart or page."""

    id: str | None = None
    name: str | None = None
    category: str | None = None
    brand: str | None = None
    price: str | None = None  # exact decimal text, of one piece
    quantity: int | None = None


class Commerce(Struct, gc=False):
    value: str | None = None  # exact decimal text
    currency: str | None = None  # ISO 4217
    order_id: str | None = None
    items: list[Item] | None = None
    item_ids: list[str] | None = None
    item_count: int | None = None
    search: str | None = None
    name: str | None = None
    category: str | None = None
    brand: str | None = None
    predicted_value: str | None = None  # exact decimal text


class AppFacts(Struct, gc=False):
    """The app and the device an app event comes from."""

    name: str | None = None
    package: str | None = None
    version: str | None = None
    brand: str | None = None
    model: str | None = None
    device_type: str | None = None
    os_name: str | None = None
    os_family: str | None = None  # "ios" or "android"
    os_version: str | None = None
    carrier: str | None = None
    network: str | None = None  # "wifi" when it is known to be
    locale: str | None = None
    timezone: str | None = None


class ClearedEvent(Struct, gc=False):
    """An event that passed consent for one destination.

    It takes a ``Receipt`` to make one, and there is no member that holds an e-mail address, a phone number or a name
    in clear: what a destination is handed cannot leak them.
    """

    receipt: Receipt
    name: str  # the vendor's event name
    event_id: str
    occurred_at: int  # seconds since the epoch
    action_source: str  # "web", "app_ios", "app_android" or "offline"
    identity: HashedIdentity
    commerce: Commerce
    source_url: str | None = None
    language: str | None = None  # ISO 639-1
    opt_out: bool = False  # the person opted out, or the device limits ad tracking
    app: AppFacts | None = None

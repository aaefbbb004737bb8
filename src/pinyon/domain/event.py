"""An event in the Segment spec's form, as far as rules read it.

The members below are all that mappings, consent and identity look at; the decoder skips the rest, which is what makes
it twice as fast as decoding to dictionaries. Nothing is required, and an object that is missing is an empty one.
Strangers send strings where objects belong: what has a wrong form is left out, and never costs the event.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

import msgspec
from msgspec import Struct, field


class Page(Struct, gc=False, frozen=True):
    url: Any = None
    search: Any = None
    title: Any = None
    referrer: Any = None


NO_PAGE: Final = Page()


class Consent(Struct, gc=False, frozen=True, rename="camel"):
    category_preferences: Any = None  # object: category -> boolean


NO_CONSENT: Final = Consent()


class Device(Struct, gc=False, frozen=True, rename="camel"):
    advertising_id: Any = None
    ad_tracking_enabled: Any = None
    type: Any = None
    manufacturer: Any = None
    model: Any = None


NO_DEVICE: Final = Device()


class App(Struct, gc=False, frozen=True):
    name: Any = None
    version: Any = None
    namespace: Any = None


NO_APP: Final = App()


class System(Struct, gc=False, frozen=True):
    name: Any = None
    version: Any = None


NO_SYSTEM: Final = System()


class Network(Struct, gc=False, frozen=True):
    carrier: Any = None
    wifi: Any = None
    cellular: Any = None


NO_NETWORK: Final = Network()


class Screen(Struct, gc=False, frozen=True):
    width: Any = None
    height: Any = None
    density: Any = None


NO_SCREEN: Final = Screen()


class Library(Struct, gc=False, frozen=True):
    name: Any = None


NO_LIBRARY: Final = Library()


class Address(Struct, gc=False, frozen=True, rename="camel"):
    city: Any = None
    state: Any = None
    postal_code: Any = None
    country: Any = None


NO_ADDRESS: Final = Address()


class Traits(Struct, gc=False, frozen=True):
    """What is known of the person, in ``traits`` or ``context.traits``."""

    email: Any = None
    phone: Any = None
    first_name: Any = field(default=None, name="firstName")
    last_name: Any = field(default=None, name="lastName")
    first_name_snake: Any = field(default=None, name="first_name")
    last_name_snake: Any = field(default=None, name="last_name")
    gender: Any = None
    birthday: Any = None
    address: Address = NO_ADDRESS
    city: Any = None
    state: Any = None
    zip: Any = None
    country: Any = None


NO_TRAITS: Final = Traits()


class Context(Struct, gc=False, frozen=True, rename="camel"):
    ip: Any = None
    user_agent: Any = None
    locale: Any = None
    timezone: Any = None
    page: Page = NO_PAGE
    consent: Consent = NO_CONSENT
    device: Device = NO_DEVICE
    app: App = NO_APP
    os: System = NO_SYSTEM
    network: Network = NO_NETWORK
    screen: Screen = NO_SCREEN
    library: Library = NO_LIBRARY
    traits: Traits = NO_TRAITS


NO_CONTEXT: Final = Context()


class Product(Struct, gc=False, frozen=True):
    """A member of ``properties.products``; a product event has the same members in ``properties`` itself."""

    product_id: Any = None
    product_id_camel: Any = field(default=None, name="productId")
    sku: Any = None
    id: Any = None
    name: Any = None
    brand: Any = None
    category: Any = None
    price: Any = None
    quantity: Any = None


class Properties(Struct, gc=False, frozen=True):
    """Of a track, page or screen call; what one product event says of its product stands here too."""

    # money and orders
    value: Any = None
    total: Any = None
    revenue: Any = None
    currency: Any = None
    order_id: Any = None
    order_id_camel: Any = field(default=None, name="orderId")
    products: list[Product] | None = None
    predicted_ltv: Any = None
    # one product
    product_id: Any = None
    product_id_camel: Any = field(default=None, name="productId")
    sku: Any = None
    name: Any = None
    brand: Any = None
    category: Any = None
    price: Any = None
    quantity: Any = None
    # search and pages
    query: Any = None
    url: Any = None
    title: Any = None
    # the person
    email: Any = None
    phone: Any = None
    first_name: Any = None
    last_name: Any = None
    # clicks
    epik: Any = None
    click_id: Any = field(default=None, name="clickId")
    click_id_snake: Any = field(default=None, name="click_id")


NO_PROPERTIES: Final = Properties()


class Event(Struct, gc=False, frozen=True, rename="camel"):
    type: Any = None
    event: Any = None
    name: Any = None
    category: Any = None
    message_id: Any = None
    user_id: Any = None
    anonymous_id: Any = None
    timestamp: Any = None
    original_timestamp: Any = None
    sent_at: Any = None
    channel: Any = None
    context: Context = NO_CONTEXT
    traits: Traits = NO_TRAITS
    properties: Properties = NO_PROPERTIES


#: Members that are objects, by the objects they are in; what else is found there is left out.
_OBJECTS: Final[dict[str, Any]] = {
    "context": {
        **{name: {} for name in ("page", "consent", "device", "app", "os", "network", "screen", "library")},
        "traits": {"address": {}},
    },
    "traits": {"address": {}},
    "properties": {},
}

_decode = msgspec.json.Decoder(Event).decode


class Undecodable(ValueError):
    """A stored body that is not an event even to the lenient reader; the text names no data."""


def read_event(body: bytes) -> Event:
    """The event in this JSON object.

    Raises ``Undecodable``.
    """
    try:
        return _decode(body)
    except (ValueError, RecursionError):  # of the decoder, or of text that is not UTF-8
        return event_from(read_object(body))


def event_from(data: dict[str, Any]) -> Event:
    """The event in this decoded JSON object (the slow way, for what was translated from another form).

    Raises ``Undecodable``.
    """
    try:
        return msgspec.convert(_repair(data), Event)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Undecodable("the event cannot be read") from error


def read_object(body: bytes) -> dict[str, Any]:
    """A JSON object, read leniently: NaN and numbers out of range become null, lone surrogates "?".

    Raises ``Undecodable``.
    """
    try:
        data = json.loads(body, parse_constant=lambda _: None, parse_float=_finite)
        clean = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise Undecodable("the event is not valid JSON, or is nested too deeply") from error
    if not isinstance(clean, dict):
        raise Undecodable("the event is not a JSON object")
    return clean


def _repair(data: dict[str, Any]) -> dict[str, Any]:
    """The event without members of a wrong form."""
    repaired = _with_objects(data, _OBJECTS)
    properties = repaired.get("properties", {})
    products = properties.get("products")
    if isinstance(products, list):
        repaired["properties"] = {**properties, "products": [each for each in products if isinstance(each, dict)]}
    elif products is not None:
        repaired["properties"] = {name: value for name, value in properties.items() if name != "products"}
    return repaired


def _with_objects(data: dict[str, Any], objects: dict[str, Any]) -> dict[str, Any]:
    found = dict(data)
    for name, inner in objects.items():
        if name in found:
            if isinstance(found[name], dict):
                found[name] = _with_objects(found[name], inner)
            else:
                del found[name]
    return found


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None

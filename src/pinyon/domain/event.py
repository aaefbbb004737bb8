"""An event in the Segment spec's form, as far as rules read it.

The members below are all that mappings, consent and identity look at; the decoder skips the rest, which is what makes
it twice as fast as decoding to dictionaries. Nothing is required and nothing has a wrong type: strangers send strings
where objects belong, so every nested object may be anything, and ``read_event`` puts an empty one in its place.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Struct, field
from msgspec.structs import force_setattr

T = TypeVar("T")

if TYPE_CHECKING:
    # What rules may rely on once ``read_event`` has answered.
    Lenient = Annotated[T, "anything else is replaced by an empty one"]
else:
    # What the decoder takes.
    Lenient = T | list[Any] | str | int | float | bool | None


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
    address: Lenient[Address] = NO_ADDRESS
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
    page: Lenient[Page] = NO_PAGE
    consent: Lenient[Consent] = NO_CONSENT
    device: Lenient[Device] = NO_DEVICE
    app: Lenient[App] = NO_APP
    os: Lenient[System] = NO_SYSTEM
    network: Lenient[Network] = NO_NETWORK
    screen: Lenient[Screen] = NO_SCREEN
    library: Lenient[Library] = NO_LIBRARY
    traits: Lenient[Traits] = NO_TRAITS


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
    # money and orders
    value: Any = None
    total: Any = None
    revenue: Any = None
    currency: Any = None
    order_id: Any = None
    order_id_camel: Any = field(default=None, name="orderId")
    products: list[Lenient[Product]] | dict[str, Any] | str | int | float | bool | None = None
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
    context: Lenient[Context] = NO_CONTEXT
    traits: Lenient[Traits] = NO_TRAITS
    properties: Lenient[Properties] = NO_PROPERTIES


_decoder = msgspec.json.Decoder(Event)


class Undecodable(ValueError):
    """A stored body that is not an event even to the lenient reader; the text names no data."""


def read_event(body: bytes) -> Event:
    """The event in this JSON object, every nested object in place.

    Raises ``Undecodable``.
    """
    try:
        event = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError):
        event = _read_leniently(body)
    return _complete(event)


def event_from(data: dict[str, Any]) -> Event:
    """The event in this decoded JSON object (the slow way, for what was translated from another form).

    Raises ``Undecodable``.
    """
    try:
        return _complete(msgspec.convert(data, Event))
    except (msgspec.ValidationError, RecursionError) as error:
        raise Undecodable("the event cannot be read") from error


def _read_leniently(body: bytes) -> Event:
    """Reads what standard JSON readers take and ours does not: lone surrogates, NaN, numbers out of range."""
    try:
        data = json.loads(body, parse_constant=lambda _: None, parse_float=_finite)
        return _decoder.decode(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise Undecodable("the event is not valid JSON, or is nested too deeply") from error


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


_CONTEXT_MEMBERS: Final = (
    ("page", NO_PAGE),
    ("consent", NO_CONSENT),
    ("device", NO_DEVICE),
    ("app", NO_APP),
    ("os", NO_SYSTEM),
    ("network", NO_NETWORK),
    ("screen", NO_SCREEN),
    ("library", NO_LIBRARY),
    ("traits", NO_TRAITS),
)


def _complete(event: Event) -> Event:
    """Puts an empty object where there is something else."""
    context = event.context
    if type(context) is not Context:
        force_setattr(event, "context", NO_CONTEXT)
    elif context is not NO_CONTEXT:
        for name, empty in _CONTEXT_MEMBERS:
            if type(getattr(context, name)) is not type(empty):
                force_setattr(context, name, empty)
        _complete_traits(context.traits)
    if type(event.traits) is not Traits:
        force_setattr(event, "traits", NO_TRAITS)
    else:
        _complete_traits(event.traits)
    if type(event.properties) is not Properties:
        force_setattr(event, "properties", NO_PROPERTIES)
    return event


def _complete_traits(traits: Traits) -> None:
    if type(traits.address) is not Address:
        force_setattr(traits, "address", NO_ADDRESS)

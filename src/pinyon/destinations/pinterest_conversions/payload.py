"""One conversion event in Pinterest's form.

The forms below are Pinterest's schema (API description 5.23.0, ConversionEvents): each member with Pinterest's name. No
member can be sent that the schema does not name, and what is None is left out. Values come typed and normalised from
the mapping, so what is left to check here are Pinterest's own bounds.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import field

from pinyon.destinations.pinterest_conversions.spec import GREATEST_AGE
from pinyon.domain.conversion import AppFacts, ClearedEvent, Commerce, DeviceFacts, Forms, Item
from pinyon.domain.identity import HashedIdentity
from pinyon.ports.destination import Withheld

#: Largest integer that the schema takes (int64).
LARGEST_SUM: Final = 2**63 - 1


class UserData(HashedIdentity, gc=False, omit_defaults=True):
    emails: list[str] | None = field(default=None, name="em")
    advertising_ids: list[str] | None = field(default=None, name="hashed_maids")
    ip: str | None = field(default=None, name="client_ip_address")
    user_agent: str | None = field(default=None, name="client_user_agent")
    phones: list[str] | None = field(default=None, name="ph")
    genders: list[str] | None = field(default=None, name="ge")
    birth_dates: list[str] | None = field(default=None, name="db")
    first_names: list[str] | None = field(default=None, name="fn")
    last_names: list[str] | None = field(default=None, name="ln")
    cities: list[str] | None = field(default=None, name="ct")
    states: list[str] | None = field(default=None, name="st")
    postcodes: list[str] | None = field(default=None, name="zp")
    countries: list[str] | None = field(default=None, name="country")
    external_ids: list[str] | None = field(default=None, name="external_id")
    click_id: str | None = None
    partner_id: str | None = None


class Content(Item, gc=False, omit_defaults=True):
    id: str | None = None
    name: str | None = field(default=None, name="item_name")
    category: str | None = field(default=None, name="item_category")
    brand: str | None = field(default=None, name="item_brand")
    price: str | None = field(default=None, name="item_price")
    quantity: int | None = None


class CustomData(Commerce, gc=False, omit_defaults=True):
    value: str | None = None
    currency: str | None = None
    order_id: str | None = None
    item_ids: list[str] | None = field(default=None, name="content_ids")
    items: list[Item] | None = field(default=None, name="contents")
    item_count: int | None = field(default=None, name="num_items")
    search: str | None = field(default=None, name="search_string")
    name: str | None = field(default=None, name="content_name")
    category: str | None = field(default=None, name="content_category")
    brand: str | None = field(default=None, name="content_brand")
    predicted_value: str | None = field(default=None, name="predicted_ltv")


class AppInfo(AppFacts, gc=False, omit_defaults=True):
    name: str | None = field(default=None, name="app_name")
    package: str | None = field(default=None, name="app_package_name")
    version: str | None = field(default=None, name="app_version")


class DeviceInfo(DeviceFacts, gc=False, omit_defaults=True):
    network: str | None = field(default=None, name="network_type")


class ConversionEvent(ClearedEvent, gc=False, omit_defaults=True):
    name: str = field(name="event_name")
    event_id: str
    occurred_at: int = field(name="event_time")
    action_source: str
    identity: HashedIdentity = field(name="user_data")
    source_url: str | None = field(default=None, name="event_source_url")
    language: str | None = None
    opt_out: bool = False
    commerce: Commerce | None = field(default=None, name="custom_data")
    app: AppFacts | None = field(default=None, name="app_info")
    device: DeviceFacts | None = field(default=None, name="device_info")


FORMS: Final = Forms(ConversionEvent, UserData, CustomData, Content, AppInfo, DeviceInfo)

NO_IDENTITY: Final = Withheld(
    "identity_insufficient",
    "Pinterest needs an e-mail address, an advertising id, or IP address and user agent together. "
    "Send one of them: context.traits.email, context.device.advertisingId, or context.ip and context.userAgent.",
)
TOO_OLD: Final = Withheld(
    "too_old",
    "The event happened more than 7 days before it was due to be sent; Pinterest refuses such events.",
)

_encode = msgspec.json.Encoder().encode
_NO_COMMERCE: Final = CustomData()
_NO_APP: Final = AppInfo()
_NO_DEVICE: Final = DeviceInfo()

#: Most characters of the members that have a bound. Source: API description 5.23.0, ConversionEventAppInfo and
#: ConversionEventDeviceInfo.
_APP_BOUNDS: Final = (("name", 200), ("package", 200), ("version", 100))
_DEVICE_BOUNDS: Final = (
    *((name, 100) for name in ("brand", "carrier", "model", "type", "os_name", "os_version")),
    ("locale", 35),
    ("timezone", 40),
)


def encode(event: ClearedEvent, now: float) -> bytes | Withheld:
    """The event as one member of ``data``, or why Pinterest would refuse it. Members beyond a bound are dropped."""
    identity = event.identity
    if (
        identity.emails is None
        and identity.advertising_ids is None
        and (identity.ip is None or identity.user_agent is None)
    ):
        return NO_IDENTITY
    if event.occurred_at < now - GREATEST_AGE:
        return TOO_OLD
    commerce = event.commerce
    if commerce is not None:
        if commerce.item_count is not None and commerce.item_count > LARGEST_SUM:
            _bound_integers(commerce)
        if commerce == _NO_COMMERCE:
            event.commerce = None
    if event.app is not None or event.device is not None:
        _bound_texts(event)
    return _encode(event)


def _bound_integers(commerce: Commerce) -> None:
    """Quantities are int64; their sum tells when one may be too large."""
    for item in commerce.items or ():
        if item.quantity is not None and item.quantity > LARGEST_SUM:
            item.quantity = None
    commerce.item_count = None


def _bound_texts(event: ClearedEvent) -> None:
    for facts, bounds in ((event.app, _APP_BOUNDS), (event.device, _DEVICE_BOUNDS)):
        for name, most in bounds:
            value = getattr(facts, name, None)
            if value is not None and len(value) > most:
                setattr(facts, name, None)
    if event.app == _NO_APP:
        event.app = None
    if event.device == _NO_DEVICE:
        event.device = None

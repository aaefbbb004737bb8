"""One conversion event in Pinterest's form.

The Structs are Pinterest's schema (API description 5.23.0, ConversionEvents): no member can be sent that the schema
does not name, and what is None is left out. Values come typed and normalised from the mapping, so what is left to
check here are Pinterest's own bounds; an optional member beyond one is dropped.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from pinyon.destinations.pinterest_conversions.spec import GREATEST_AGE
from pinyon.domain.conversion import AppFacts, ClearedEvent, Commerce, Item
from pinyon.domain.identity import HashedIdentity
from pinyon.ports.destination import Withheld

_LARGEST_INTEGER: Final = 2**63 - 1


class UserData(Struct, gc=False, omit_defaults=True):
    em: list[str] | None = None
    hashed_maids: list[str] | None = None
    client_ip_address: str | None = None
    client_user_agent: str | None = None
    ph: list[str] | None = None
    ge: list[str] | None = None
    db: list[str] | None = None
    fn: list[str] | None = None
    ln: list[str] | None = None
    ct: list[str] | None = None
    st: list[str] | None = None
    zp: list[str] | None = None
    country: list[str] | None = None
    external_id: list[str] | None = None
    click_id: str | None = None
    partner_id: str | None = None


class Content(Struct, gc=False, omit_defaults=True):
    id: str | None = None
    item_name: str | None = None
    item_category: str | None = None
    item_brand: str | None = None
    item_price: str | None = None
    quantity: int | None = None


class CustomData(Struct, gc=False, omit_defaults=True):
    currency: str | None = None
    value: str | None = None
    content_ids: list[str] | None = None
    contents: list[Content] | None = None
    num_items: int | None = None
    order_id: str | None = None
    search_string: str | None = None
    content_name: str | None = None
    content_category: str | None = None
    content_brand: str | None = None
    predicted_ltv: str | None = None


class AppInfo(Struct, gc=False, omit_defaults=True):
    app_name: str | None = None
    app_package_name: str | None = None
    app_version: str | None = None


class DeviceInfo(Struct, gc=False, omit_defaults=True):
    brand: str | None = None
    carrier: str | None = None
    model: str | None = None
    os_name: str | None = None
    os_version: str | None = None
    type: str | None = None
    locale: str | None = None
    timezone: str | None = None
    os_family: str | None = None
    network_type: str | None = None


class ConversionEvent(Struct, gc=False, omit_defaults=True):
    event_name: str
    action_source: str
    event_time: int
    event_id: str
    user_data: UserData
    event_source_url: str | None = None
    opt_out: bool = False
    language: str | None = None
    custom_data: CustomData | None = None
    app_info: AppInfo | None = None
    device_info: DeviceInfo | None = None


NO_IDENTITY: Final = Withheld(
    "identity_insufficient",
    "Pinterest needs an e-mail address, an advertising id, or IP address and user agent together. "
    "Send one of them: context.traits.email, context.device.advertisingId, or context.ip and context.userAgent.",
)
TOO_OLD: Final = Withheld(
    "too_old",
    "The event happened more than 7 days before it was due to be sent; Pinterest refuses such events.",
)

_encoder = msgspec.json.Encoder()
_NO_COMMERCE: Final = Commerce()


def encode(event: ClearedEvent, now: float) -> bytes | Withheld:
    """The event as one member of ``data``, or why Pinterest would refuse it."""
    identity = event.identity
    if (
        identity.emails is None
        and identity.advertising_ids is None
        and (identity.ip is None or identity.user_agent is None)
    ):
        return NO_IDENTITY
    if event.occurred_at < now - GREATEST_AGE:
        return TOO_OLD
    payload = ConversionEvent(
        event_name=event.name,
        action_source=event.action_source,
        event_time=event.occurred_at,
        event_id=event.event_id,
        user_data=_user_data(identity),
        event_source_url=event.source_url,
        opt_out=event.opt_out,
        language=event.language,
    )
    if event.commerce != _NO_COMMERCE:
        payload.custom_data = _custom_data(event.commerce)
    if event.app is not None:
        payload.app_info, payload.device_info = _app(event.app)
    return _encoder.encode(payload)


def _user_data(identity: HashedIdentity) -> UserData:
    return UserData(
        em=identity.emails,
        hashed_maids=identity.advertising_ids,
        client_ip_address=identity.ip,
        client_user_agent=identity.user_agent,
        ph=identity.phones,
        ge=identity.genders,
        db=identity.birth_dates,
        fn=identity.first_names,
        ln=identity.last_names,
        ct=identity.cities,
        st=identity.states,
        zp=identity.postcodes,
        country=identity.countries,
        external_id=identity.external_ids,
        click_id=identity.click_id,
        partner_id=identity.partner_id,
    )


def _custom_data(commerce: Commerce) -> CustomData:
    items = commerce.items
    return CustomData(
        currency=commerce.currency,
        value=commerce.value,
        content_ids=commerce.item_ids,
        contents=[_content(item) for item in items] if items is not None else None,
        num_items=_integer(commerce.item_count),
        order_id=commerce.order_id,
        search_string=commerce.search,
        content_name=commerce.name,
        content_category=commerce.category,
        content_brand=commerce.brand,
        predicted_ltv=commerce.predicted_value,
    )


def _content(item: Item) -> Content:
    return Content(item.id, item.name, item.category, item.brand, item.price, _integer(item.quantity))


def _integer(number: int | None) -> int | None:
    return number if number is not None and number <= _LARGEST_INTEGER else None


def _app(facts: AppFacts) -> tuple[AppInfo | None, DeviceInfo | None]:
    """``app_info`` and ``device_info``, each left out when nothing is known. Bounds: API description 5.23.0."""
    app = AppInfo(
        app_name=_within(facts.name, 200),
        app_package_name=_within(facts.package, 200),
        app_version=_within(facts.version, 100),
    )
    device = DeviceInfo(
        brand=_within(facts.brand, 100),
        carrier=_within(facts.carrier, 100),
        model=_within(facts.model, 100),
        os_name=_within(facts.os_name, 100),
        os_version=_within(facts.os_version, 100),
        type=_within(facts.device_type, 100),
        locale=_within(facts.locale, 35),
        timezone=_within(facts.timezone, 40),
        os_family=facts.os_family,
        network_type=facts.network,
    )
    return (app if app != AppInfo() else None, device if device != DeviceInfo() else None)


def _within(value: str | None, most: int) -> str | None:
    return value if value is not None and len(value) <= most else None

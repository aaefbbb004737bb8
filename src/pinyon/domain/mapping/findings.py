"""What was in an event and could not be used. Off the hot path: ``pinyon preview`` and ``pinyon explain`` ask it."""

from __future__ import annotations

from typing import Any, Final

from pinyon.domain import identity as ids
from pinyon.domain.conversion import ClearedEvent, Commerce
from pinyon.domain.event import Event, Traits
from pinyon.domain.event_time import parse_time
from pinyon.domain.mapping.defaults import Origin
from pinyon.domain.mapping.values import text
from pinyon.domain.money import currency_code, decimal_text, whole_number

#: Seconds by which a client's clock may be ahead before it is worth a word.
_FUTURE: Final = 300.0


def findings(event: Event, cleared: ClearedEvent, origin: Origin) -> list[str]:
    """One sentence each; the value itself is never repeated."""
    return [*_of_time(event, origin), *_of_person(event), *_of_commerce(event, cleared)]


def _of_time(event: Event, origin: Origin) -> list[str]:
    stated = event.timestamp if event.timestamp is not None else event.original_timestamp
    if stated is None:
        return ["timestamp is missing: the time of receipt is used."]
    moment = parse_time(stated)
    if moment is None:
        return ["timestamp is not a time: the time of receipt is used. Send ISO 8601, e.g. 2026-01-31T12:00:00Z."]
    if origin.sent_at is None and moment > origin.received_at + _FUTURE:
        return [
            "timestamp lies in the future: the time of receipt is used. Send sentAt so that clocks can be compared."
        ]
    return []


def _of_person(event: Event) -> list[str]:
    found: list[str] = []
    for place, traits in (("context.traits", event.context.traits), ("traits", event.traits)):
        found += _of_traits(place, traits)
    properties = event.properties
    found += _unusable("properties.email", properties.email, ids.hash_email, "It is not an e-mail address.")
    found += _unusable("properties.phone", properties.phone, ids.hash_phone, _PHONE)
    ip = event.context.ip
    if ip is not None and (type(ip) is not str or ids.valid_ip(ip) is None):
        found.append("context.ip is not an IP address and was left out.")
    device = event.context.device
    found += _unusable("context.device.advertisingId", device.advertising_id, ids.hash_maid, "It is not a UUID.")
    return found


_PHONE: Final = "It has no country code. Send it in international form, e.g. +1 555 0100."


def _of_traits(place: str, traits: Traits) -> list[str]:
    return [
        *_unusable(f"{place}.email", traits.email, ids.hash_email, "It is not an e-mail address."),
        *_unusable(f"{place}.phone", traits.phone, ids.hash_phone, _PHONE),
        *_unusable(f"{place}.gender", traits.gender, ids.hash_gender, "Known are female, male and non-binary."),
        *_unusable(f"{place}.birthday", traits.birthday, ids.hash_birth_date, "Send it as YYYY-MM-DD."),
        *_unusable(f"{place}.address.state", traits.address.state, ids.hash_state, "Send the two-letter code."),
        *_unusable(f"{place}.address.country", traits.address.country, ids.hash_country, "Send the two-letter code."),
    ]


def _unusable(place: str, value: Any, hash_value: Any, why: str) -> list[str]:
    if value is None or value == "":
        return []
    readable = text(value)
    if readable is not None and hash_value(readable) is not None:
        return []
    return [f"{place} was left out. {why}"]


def _of_commerce(event: Event, cleared: ClearedEvent) -> list[str]:
    properties, commerce = event.properties, cleared.commerce or Commerce()
    found: list[str] = []
    for name in ("value", "total", "revenue", "price"):
        amount = getattr(properties, name)
        if amount is not None and decimal_text(amount) is None:
            found.append(f"properties.{name} is not an amount and was left out. Send a number such as 19.98.")
    if properties.quantity is not None and whole_number(properties.quantity) is None:
        found.append("properties.quantity is not a whole number and was left out.")
    if commerce.value is not None and commerce.currency is None:
        found.append("value has no currency: Pinterest takes the ad account's. Send properties.currency or set one.")
    if properties.currency is not None and (
        type(properties.currency) is not str or currency_code(properties.currency) is None
    ):
        found.append("properties.currency is not an ISO 4217 code such as EUR.")
    products = properties.products
    if products is not None and not isinstance(products, list):
        found.append("properties.products is not a list and was left out.")
    elif isinstance(products, list) and len(commerce.items or ()) < len(products):
        found.append("properties.products has members without product_id, sku or name, which were left out.")
    return found

"""The transform as a first version would have it: stdlib JSON, and a mapping that is a table of paths.

Every field of Pinterest's schema has a list of paths where its value may stand; for each event each path is walked and
the first usable value (or every distinct one) goes out. The paths are split once, at import. The fields are those that
Pinyon fills, from the same places; ``bench.transform`` holds the results equal.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from bench import rules
from pinyon.domain.mapping import MappingRule
from pinyon.domain.money import currency_code

GREATEST_AGE = 7 * 86_400  # seconds


class Field(NamedTuple):
    target: list[str]
    sources: list[list[str]]
    convert: Callable[[Any], Any]
    every: bool = False  # all distinct values as a list, not the first


def of_text(convert: Callable[[str], Any]) -> Callable[[Any], Any]:
    def converted(value: Any) -> Any:
        text = rules.text(value)
        return None if text is None else convert(text)

    return converted


def field(target: str, sources: str, convert: Callable[[Any], Any] = rules.text, *, every: bool = False) -> Field:
    return Field(target.split("."), [source.split(".") for source in sources.split()], convert, every)


def hashed(target: str, sources: str, convert: Callable[[str], str | None]) -> Field:
    return field(f"user_data.{target}", sources, of_text(convert), every=True)


def in_traits(*names: str) -> str:
    return " ".join(f"{place}.{name}" for place in ("context.traits", "traits") for name in names)


PERSON = [
    hashed("em", f"{in_traits('email')} properties.email", rules.hash_email),
    hashed("ph", f"{in_traits('phone')} properties.phone", rules.hash_phone),
    hashed("fn", f"{in_traits('firstName', 'first_name')} properties.first_name", rules.hash_name),
    hashed("ln", f"{in_traits('lastName', 'last_name')} properties.last_name", rules.hash_name),
    hashed("ge", in_traits("gender"), rules.hash_gender),
    hashed("db", in_traits("birthday"), rules.hash_birth_date),
    hashed("ct", in_traits("address.city", "city"), rules.hash_city),
    hashed("st", in_traits("address.state", "state"), rules.hash_state),
    hashed("zp", in_traits("address.postalCode", "zip"), rules.hash_postcode),
    hashed("country", in_traits("address.country", "country"), rules.hash_country),
    hashed("external_id", "userId anonymousId", rules.hash_external_id),
    hashed("hashed_maids", "context.device.advertisingId", rules.hash_advertising_id),
    field("user_data.client_ip_address", "context.ip", of_text(rules.ip_address)),
    field("user_data.client_user_agent", "context.userAgent"),
    field("user_data.click_id", "context.page.url context.page.search properties.url", of_text(rules.click_id)),
]
NAMED_CLICK_ID = field("user_data.click_id", "properties.epik properties.clickId properties.click_id")
PAGE = [field("event_source_url", "context.page.url properties.url")]
COMMERCE = [
    field("language", "context.locale", of_text(rules.language)),
    field("custom_data.value", "properties.value properties.total properties.revenue", rules.amount),
    field("custom_data.order_id", "properties.order_id properties.orderId"),
    field("custom_data.search_string", "properties.query"),
    field("custom_data.content_name", "properties.name name properties.title"),
    field("custom_data.content_category", "properties.category category"),
    field("custom_data.content_brand", "properties.brand"),
    field("custom_data.predicted_ltv", "properties.predicted_ltv", rules.amount),
]
CURRENCY = field("custom_data.currency", "properties.currency", of_text(currency_code))
ITEM = [
    field("item_name", "name"),
    field("item_category", "category"),
    field("item_brand", "brand"),
    field("item_price", "price", rules.amount),
    field("quantity", "quantity", rules.quantity),
]
ITEM_ID = field("id", "product_id productId sku")
PRODUCT_ID = field("id", "product_id productId sku id")
APP = [
    field("app_info.app_name", "context.app.name"),
    field("app_info.app_package_name", "context.app.namespace"),
    field("app_info.app_version", "context.app.version"),
    field("device_info.brand", "context.device.manufacturer"),
    field("device_info.carrier", "context.network.carrier"),
    field("device_info.model", "context.device.model"),
    field("device_info.os_name", "context.os.name"),
    field("device_info.os_version", "context.os.version"),
    field("device_info.type", "context.device.type"),
    field("device_info.locale", "context.locale"),
    field("device_info.timezone", "context.timezone"),
    field("device_info.network_type", "context.network.wifi", lambda wifi: "wifi" if wifi is True else None),
]
FAMILIES = {"ios": "ios", "iphone os": "ios", "ipados": "ios", "android": "android"}


def walk(data: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data


def put(data: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        data = data.setdefault(name, {})
    data[path[-1]] = value


def fill(out: dict[str, Any], fields: Sequence[Field], event: Any) -> None:
    for entry in fields:
        value = find(entry, event)
        if value is not None:
            put(out, entry.target, value)


def find(entry: Field, event: Any) -> Any:
    values: list[Any] = []
    for path in entry.sources:
        value = walk(event, path)
        if value is None or value in values:
            continue
        values.append(value)
        if not entry.every and (converted := entry.convert(value)) is not None:
            return converted
    if not entry.every:
        return None
    found = [converted for value in values if (converted := entry.convert(value)) is not None]
    return list(dict.fromkeys(found)) or None


class Baseline:
    """One destination: the rules of its preset, and the consent it needs."""

    def __init__(self, triggers: Sequence[MappingRule], categories: Sequence[str], *, granted_by_default: bool) -> None:
        self._triggers = triggers
        self._categories = [category.lower() for category in categories]
        self._granted_by_default = granted_by_default

    def transform(self, body: bytes, received_at: float, sent_at: float | None, now: float) -> bytes | None:
        """Pinterest's JSON for the event; None when it is not to be sent. Times in seconds since the epoch."""
        event = json.loads(body)
        name = self._triggered(event)
        if name is None or not self._allowed(event):
            return None
        family = os_family(event)
        occurred = occurred_at(event, sent_at, received_at)
        out: dict[str, Any] = {
            "event_name": name,
            "action_source": f"app_{family}" if family else "web",
            "event_time": int(occurred),
            "event_id": event["messageId"],
            "user_data": {},
        }
        fill(out, PERSON, event)
        if "click_id" not in out["user_data"]:
            fill(out, [NAMED_CLICK_ID], event)
        fill(out, COMMERCE, event)
        fill_items(out, event)
        if "value" in out.get("custom_data", {}):
            fill(out, [CURRENCY], event)
        fill(out, APP if family else PAGE, event)
        if family:
            put(out, ["device_info", "os_family"], family)
        if walk(event, ["context", "device", "adTrackingEnabled"]) is False:
            out["opt_out"] = True
        if not identified(out["user_data"]) or occurred < now - GREATEST_AGE:
            return None
        return json.dumps(out, separators=(",", ":"), ensure_ascii=False).encode()

    def _triggered(self, event: Any) -> str | None:
        for rule in self._triggers:
            if rule.trigger.type == event.get("type") and rule.trigger.event in {None, event.get("event")}:
                return rule.name
        return None

    def _allowed(self, event: Any) -> bool:
        stated = walk(event, ["context", "consent", "categoryPreferences"]) or {}
        answers = {category.lower(): answer for category, answer in stated.items()}
        return all(answers.get(category, self._granted_by_default) for category in self._categories)


def os_family(event: Any) -> str | None:
    if walk(event, ["context", "page"]) is not None or event.get("channel") == "web":
        return None
    named = (walk(event, ["context", "device", "type"]), walk(event, ["context", "os", "name"]))
    families = [FAMILIES.get(str(name).strip().lower()) for name in named]
    return families[0] or families[1]


def occurred_at(event: Any, sent_at: float | None, received_at: float) -> float:
    timestamp = event.get("timestamp") or event.get("originalTimestamp")
    if sent_at is None:
        sent_at = rules.moment(event.get("sentAt"))
    return rules.occurred_at(rules.moment(timestamp), sent_at, received_at)


def fill_items(out: dict[str, Any], event: Any) -> None:
    """The products of an order or cart, or the one product of the event itself."""
    listed = walk(event, ["properties", "products"])
    products = listed if isinstance(listed, list) else [event.get("properties")]
    items = []
    for product in products:
        item: dict[str, Any] = {}
        fill(item, [PRODUCT_ID if isinstance(listed, list) else ITEM_ID, *ITEM], product)
        if "id" in item or ("item_name" in item and isinstance(listed, list)):
            items.append(item)
    if not items:
        return
    put(out, ["custom_data", "contents"], items)
    put(out, ["custom_data", "num_items"], sum(item.get("quantity", 1) for item in items))
    ids = [item["id"] for item in items if "id" in item]
    if ids:
        put(out, ["custom_data", "content_ids"], ids)
    if "value" not in out["custom_data"] and all("item_price" in item for item in items):
        total = sum(Decimal(item["item_price"]) * item.get("quantity", 1) for item in items)
        put(out, ["custom_data", "value"], str(int(total)) if total == int(total) else f"{total:.2f}")


def identified(user: dict[str, Any]) -> bool:
    return bool(user.get("em") or user.get("hashed_maids")) or (
        "client_ip_address" in user and "client_user_agent" in user
    )

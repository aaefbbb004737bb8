"""Orders, carts and products, by the e-commerce part of the Segment spec (version 2)."""

from __future__ import annotations

from typing import Any

from pinyon.domain.conversion import Commerce, Forms, Item
from pinyon.domain.event import NO_PROPERTIES, Event, Product, Properties
from pinyon.domain.mapping.values import first_text, text
from pinyon.domain.money import currency_code, decimal_text, line_total, whole_number


def read_commerce(event: Event, default_currency: str | None, forms: Forms) -> Commerce | None:
    """What was looked at, put in the cart or bought; None when the event says nothing of it.

    ``value`` is value, else total, else revenue, else the sum of price times quantity. ``item_count`` is the sum of
    the quantities, a product without one counting once.
    """
    properties = event.properties
    if properties is NO_PROPERTIES and event.name is None:
        return None
    commerce = forms.commerce()
    items = _read_items(properties, forms.item)
    value = _read_value(properties, items)
    if value is not None:
        commerce.value = value
        commerce.currency = _currency(properties.currency, default_currency)
    if items:
        commerce.items = items
        commerce.item_ids = [item.id for item in items if item.id is not None] or None
        commerce.item_count = sum([1 if item.quantity is None else item.quantity for item in items])
    if properties.order_id is not None or properties.order_id_camel is not None:
        commerce.order_id = first_text(properties.order_id, properties.order_id_camel)
    if properties.query is not None:
        commerce.search = text(properties.query)
    _read_content(commerce, event, properties)
    return commerce


def _read_content(commerce: Commerce, event: Event, properties: Properties) -> None:
    if properties.name is not None or event.name is not None or properties.title is not None:
        commerce.name = first_text(properties.name, event.name, properties.title)
    if properties.category is not None or event.category is not None:
        commerce.category = first_text(properties.category, event.category)
    if properties.brand is not None:
        commerce.brand = text(properties.brand)
    if properties.predicted_ltv is not None:
        commerce.predicted_value = decimal_text(properties.predicted_ltv)


def _read_items(properties: Properties, form: type[Item]) -> list[Item]:
    if properties.products is not None:
        items = [_read_item(product, form) for product in properties.products]
        return [item for item in items if item.id is not None or item.name is not None]
    if properties.product_id is None and properties.product_id_camel is None and properties.sku is None:
        return []
    item = _read_item(properties, form)
    return [item] if item.id is not None else []


def _read_item(product: Product | Properties, form: type[Item]) -> Item:
    """Values of the usual types are taken as they are; only others cost a call."""
    own_id = product.product_id
    if type(own_id) is not str or not (own_id := own_id.strip()):
        named_otherwise = (product.product_id_camel, product.sku, product.id if type(product) is Product else None)
        own_id = first_text(own_id, *named_otherwise)
    name, category, brand = product.name, product.category, product.brand
    price, quantity = product.price, product.quantity
    return form(
        own_id,
        name if type(name) is str and name else text(name),
        category if type(category) is str and category else text(category),
        brand if type(brand) is str and brand else text(brand),
        decimal_text(price) if price is not None else None,
        quantity if type(quantity) is int and quantity >= 0 else whole_number(quantity),
    )


def _read_value(properties: Properties, items: list[Item]) -> str | None:
    for amount in (properties.value, properties.total, properties.revenue):
        if amount is not None:
            found = decimal_text(amount)
            if found is not None:
                return found
    return line_total([(item.price, item.quantity) for item in items]) if items else None


def _currency(stated: Any, default: str | None) -> str | None:
    if type(stated) is str:
        return currency_code(stated) or default
    return default

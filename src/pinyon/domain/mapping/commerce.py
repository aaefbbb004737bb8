"""Orders, carts and products, by the e-commerce part of the Segment spec (version 2)."""

from __future__ import annotations

from typing import Any

from pinyon.domain.conversion import Commerce, Item
from pinyon.domain.event import Event, Product, Properties
from pinyon.domain.mapping.values import first_text, text
from pinyon.domain.money import currency_code, decimal_text, line_total, whole_number


def read_commerce(event: Event, default_currency: str | None) -> Commerce:
    """What was looked at, put in the cart or bought.

    ``value`` is value, else total, else revenue, else the sum of price times quantity. ``item_count`` is the sum of
    the quantities, a product without one counting once.
    """
    properties = event.properties
    items = _read_items(properties)
    value = _first_amount(properties.value, properties.total, properties.revenue)
    if value is None and items:
        value = line_total([(item.price, item.quantity) for item in items])
    commerce = Commerce(
        value=value,
        currency=_currency(properties.currency, default_currency) if value is not None else None,
        order_id=first_text(properties.order_id, properties.order_id_camel),
        search=text(properties.query),
        name=first_text(properties.name, event.name, properties.title),
        category=first_text(properties.category, event.category),
        brand=text(properties.brand),
        predicted_value=decimal_text(properties.predicted_ltv) if properties.predicted_ltv is not None else None,
    )
    if items:
        commerce.items = items
        commerce.item_ids = [item.id for item in items if item.id is not None] or None
        commerce.item_count = sum([1 if item.quantity is None else item.quantity for item in items])
    return commerce


def _read_items(properties: Properties) -> list[Item]:
    products = properties.products
    if type(products) is list:
        items = [_read_item(product) for product in products if type(product) is Product]
        return [item for item in items if item.id is not None or item.name is not None]
    item = _read_item(properties)
    return [item] if item.id is not None else []


def _read_item(product: Product | Properties) -> Item:
    own_id = product.product_id if product.product_id is not None else product.product_id_camel
    if own_id is None:
        own_id = product.sku
        if own_id is None and type(product) is Product:
            own_id = product.id
    return Item(
        text(own_id),
        text(product.name),
        text(product.category),
        text(product.brand),
        decimal_text(product.price) if product.price is not None else None,
        whole_number(product.quantity) if product.quantity is not None else None,
    )


def _first_amount(*amounts: Any) -> str | None:
    for amount in amounts:
        if amount is not None:
            found = decimal_text(amount)
            if found is not None:
                return found
    return None


def _currency(stated: Any, default: str | None) -> str | None:
    if type(stated) is str:
        return currency_code(stated) or default
    return default

"""Orders, carts and products, by the published examples and by what shops send in their place."""

import json
from pathlib import Path

import msgspec
import pytest
from cleared import WEB, cleared, commerce
from hypothesis import given
from hypothesis import strategies as st

VECTORS = json.loads((Path(__file__).parent / "vectors" / "segment_ecommerce_v2.json").read_text("utf-8"))["vectors"]
EUROPEAN = msgspec.structs.replace(WEB, currency="EUR")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["event"])
def test_published_example(vector):
    found = cleared({"type": "track", "event": vector["event"], "properties": vector["properties"]}).commerce
    expected = vector["expected"]
    for name in ("value", "currency", "order_id", "search", "name", "category", "brand"):
        assert getattr(found, name) == expected.get(name), name
    assert (found.item_ids, found.item_count) == (expected.get("ids"), expected.get("count"))
    items = [msgspec.to_builtins(item) for item in found.items or []]
    assert [{key: value for key, value in item.items() if value is not None} for item in items] == expected.get(
        "items", []
    )


VALUES = [
    ({"value": 1, "total": 2, "revenue": 3}, "1"),
    ({"total": 2, "revenue": 3}, "2"),
    ({"revenue": 3}, "3"),
    ({"value": None, "total": 2}, "2"),
    ({"value": "free", "total": 2}, "2"),
    ({"value": True, "revenue": 3}, "3"),
    ({"value": {"amount": 1}, "total": [2]}, None),
    ({"value": 0, "total": 5}, "0"),
    ({"value": "19.90"}, "19.90"),
    ({"value": 19.979999999999997}, "19.98"),
    ({"value": "1,299.00 EUR"}, "1299.00"),
    ({"value": -5}, "-5"),
    ({}, None),
    ({"products": [{"product_id": "a", "price": 0.1, "quantity": 3}, {"product_id": "b", "price": "0.10"}]}, "0.40"),
    ({"products": [{"product_id": "a", "price": 9.99, "quantity": 2}]}, "19.98"),
    ({"product_id": "a", "price": 18.99, "quantity": 2}, "37.98"),
    ({"products": [{"product_id": "a", "price": 5}, {"product_id": "b"}]}, None),
    ({"products": [{"product_id": "a", "price": 5}], "value": 4}, "4"),
    ({"products": []}, None),
]


@pytest.mark.parametrize(("properties", "value"), VALUES)
def test_value_is_exact_and_the_first_that_is_an_amount(properties, value):
    assert commerce(**properties, x=1).value == value


CENTS = st.decimals(min_value=0, max_value=9999, places=2)


@given(st.lists(st.tuples(CENTS, st.integers(1, 20)), min_size=1, max_size=8))
def test_sums_have_no_float_noise(lines):
    products = [{"product_id": "p", "price": float(price), "quantity": times} for price, times in lines]
    exact = sum(price * times for price, times in lines)
    found = commerce(products=products).value
    assert found in {f"{exact:.2f}", f"{exact:.0f}"}
    assert float(found) == float(exact)


CURRENCIES = [
    ({"value": 1, "currency": "GBP"}, "GBP"),
    ({"value": 1, "currency": " usd "}, "USD"),
    ({"value": 1}, "EUR"),
    ({"value": 1, "currency": None}, "EUR"),
    ({"value": 1, "currency": "Taler"}, "EUR"),
    ({"value": 1, "currency": 978}, "EUR"),
    ({"currency": "GBP"}, None),
]


@pytest.mark.parametrize(("properties", "currency"), CURRENCIES)
def test_currency_of_the_event_else_of_the_source_and_never_without_a_value(properties, currency):
    assert commerce(EUROPEAN, **properties).currency == currency


def test_without_any_currency_the_ad_account_decides():
    assert commerce(value=1).currency is None


IDS = [
    ({"product_id": "p", "sku": "s", "id": "i"}, "p"),
    ({"productId": "p", "sku": "s", "id": "i"}, "p"),
    ({"sku": "s", "id": "i"}, "s"),
    ({"id": "i"}, "i"),
    ({"product_id": 4711}, "4711"),
    ({"product_id": 4711.0}, "4711"),
    ({"product_id": "", "sku": "s"}, "s"),
    ({"product_id": "  ", "sku": "s"}, "s"),
    ({"product_id": None, "sku": "s"}, "s"),
    ({"product_id": {"a": 1}, "sku": "s"}, "s"),
]


@pytest.mark.parametrize(("product", "item_id"), IDS)
def test_the_id_of_a_product(product, item_id):
    assert commerce(products=[product]).item_ids == [item_id]


@pytest.mark.parametrize(("product", "item_id"), [entry for entry in IDS if "i" not in entry[1]])
def test_the_id_of_the_one_product(product, item_id):
    assert commerce(**product).item_ids == [item_id]


def test_an_id_in_the_properties_is_not_a_product():
    """``properties.id`` names anything: a lead, a video."""
    assert commerce(id="lead-7", value=1).items is None


def test_products_count_for_more_than_the_one_product():
    found = commerce(product_id="single", products=[{"product_id": "a"}, {"product_id": "b"}])
    assert found.item_ids == ["a", "b"]


COUNTS = [
    ([{"product_id": "a"}, {"product_id": "b"}], 2),
    ([{"product_id": "a", "quantity": 2}, {"product_id": "b", "quantity": "3"}], 5),
    ([{"product_id": "a", "quantity": 2.0}], 2),
    ([{"product_id": "a", "quantity": 0}], 0),
    ([{"product_id": "a", "quantity": "many"}], 1),
    ([{"product_id": "a", "quantity": -1}], 1),
    ([{"product_id": "a", "quantity": 1.5}], 1),
    ([{"product_id": "a", "quantity": True}], 1),
    ([{"name": "gift"}, {"brand": "no id and no name"}, None, "x"], 1),
]


@pytest.mark.parametrize(("products", "count"), COUNTS)
def test_the_number_of_items(products, count):
    assert commerce(products=products).item_count == count


def test_an_item_with_a_name_alone_is_content_without_an_id():
    found = commerce(products=[{"name": "Gift card"}, {"product_id": "a"}])
    assert [item.name for item in found.items] == ["Gift card", None]
    assert found.item_ids == ["a"]


@pytest.mark.parametrize(
    ("query", "search"), [("blue roses", "blue roses"), ("  x ", "x"), ("", None), (7, "7"), ({"q": "x"}, None)]
)
def test_search(query, search):
    """The spec lets the query be an object, which no text stands for."""
    assert commerce(query=query).search == search


@pytest.mark.parametrize(
    ("members", "order_id"),
    [
        ({"order_id": "o-1", "orderId": "o-2"}, "o-1"),
        ({"orderId": "o-2"}, "o-2"),
        ({"order_id": 1001}, "1001"),
        ({"order_id": "", "orderId": "o-2"}, "o-2"),
        ({"order_id": [1]}, None),
    ],
)
def test_order_id(members, order_id):
    assert commerce(**members).order_id == order_id


@pytest.mark.parametrize(
    ("ltv", "expected"), [(120, "120"), ("99.90", "99.90"), (0.1 + 0.2, "0.3"), ("high", None), (None, None)]
)
def test_predicted_value(ltv, expected):
    assert commerce(predicted_ltv=ltv, x=1).predicted_value == expected


def test_the_name_of_a_page_is_the_name_of_its_content():
    page = {"type": "page", "name": "Home", "category": "Landing", "properties": {"title": "Welcome"}}
    found = cleared(page).commerce
    assert (found.name, found.category) == ("Home", "Landing")
    assert cleared({"type": "page", "properties": {"title": "Welcome"}}).commerce.name == "Welcome"

"""The demo's traffic: repeatable, believable, and its tallies equal to a recount from the bytes alone."""

import ipaddress
import json
import re
import unicodedata
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple

import pytest

from pinyon.cli.demo.catalogue import COLLECTIONS, PRODUCTS
from pinyon.cli.demo.shop import Shop, ShopRequest

NOW = 1_790_000_000.0
EVENTS = 12_000
TYPES = {"track", "page", "screen", "identify", "group", "alias"}
LETTERS = {kind[0]: kind for kind in ("track", "page", "screen", "identify", "group", "alias")}
DOCUMENTATION = [  # RFC 5737 and RFC 3849
    ipaddress.ip_network(block) for block in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
]
# Digits of numbers kept for fiction: NANPA 555-0100 to 0199; Ofcom's drama numbers; Bundesnetzagentur, Mitteilung
# 148/2021; Arcep, décision 2018-0881.
FICTION = re.compile(
    r"1\d{3}55501\d\d"
    r"|44(?:2079460|(?:113|114|115|116|117|118|121|131|141|151|161)4960|7700900)\d{3}"
    r"|49(?:3023125|6990009|4066969|2214710|8999998)\d{3}"
    r"|33(?:19900|26191|35301|46571|53649|63998)\d{4}"
)


class Sent(NamedTuple):
    """One member as a server sees it. `event` is empty where the member is not an object."""

    request: ShopRequest
    text: str
    event: dict[str, Any]
    sent_at: str
    fault: str | None


def read(request: ShopRequest) -> list[Sent]:
    body = json.loads(request.body)
    sent = []
    for member in body.get("batch", [body]):
        text = json.dumps(member, ensure_ascii=False, separators=(",", ":"))
        event = member if isinstance(member, dict) else {}
        sent.append(Sent(request, text, event, body["sentAt"], fault(member, text)))
    return sent


def fault(member: Any, text: str) -> str | None:
    if not isinstance(member, dict):
        return "not_an_object"
    if member.get("type") not in TYPES:
        return "no_type"
    if member["type"] == "track" and not member.get("event"):
        return "no_event_name"
    if not member.get("userId") and not member.get("anonymousId"):
        return "no_identity"
    return "too_large" if len(text.encode()) > 32 * 1024 else None


@pytest.fixture(scope="module")
def played() -> tuple[Shop, list[ShopRequest]]:
    shop = Shop(seed=7, now=NOW)
    return shop, list(shop.requests(EVENTS, NOW))


@pytest.fixture(scope="module")
def members(played) -> list[Sent]:
    return [sent for request in played[1] for sent in read(request)]


@pytest.fixture(scope="module")
def good(members) -> list[Sent]:
    """Well-formed members, copies included."""
    return [sent for sent in members if sent.fault is None]


@pytest.fixture(scope="module")
def tracked(good) -> dict[str, list[dict[str, Any]]]:
    """Events of distinct track members by event name."""
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for sent in good:
        if sent.event["type"] == "track":
            found[sent.event["event"]][sent.event["messageId"]] = sent.event
    return {name: list(events.values()) for name, events in found.items()}


def traits_of(good: list[Sent]) -> dict[str, dict[str, Any]]:
    """Traits of everyone identified, by anonymous id."""
    found = {}
    for sent in good:
        if sent.event["type"] == "identify":
            found[sent.event["anonymousId"]] = sent.event.get("traits") or sent.event["context"]["traits"]
    return found


def test_the_same_seed_gives_the_same_bytes():
    def play(seed):
        return list(Shop(seed, NOW).requests(2000, NOW))

    assert play(3) == play(3)
    assert play(3) != play(4)


def test_the_members_are_exactly_as_many_as_asked():
    shop = Shop(1, NOW)
    for events in range(150):  # enough that some run ends in the middle of a step that gives two members
        requests = list(shop.requests(events, NOW))
        assert sum(request.events for request in requests) == events
        assert all(len(read(request)) == request.events > 0 for request in requests)


def test_each_request_tells_how_many_of_its_members_are_malformed(played):
    for request in played[1]:
        assert request.malformed == sum(sent.fault is not None for sent in read(request))


def test_the_tallies_equal_a_recount(played, members):
    expected = played[0].expected
    first: dict[str, str] = {}
    names, refused_names, faults, consents = Counter(), Counter(), Counter(), Counter()
    duplicates = 0
    for sent in members:
        if sent.fault is not None:
            faults[sent.fault] += 1
            continue
        event = sent.event
        if event["messageId"] in first:
            assert first[event["messageId"]] == sent.text, "a duplicate differs from what it copies"
            duplicates += 1
            continue
        first[event["messageId"]] = sent.text
        name = event["event"] if event["type"] == "track" else event["type"]
        consent = event["context"].get("consent")
        answer = None if consent is None else consent["categoryPreferences"]["advertising"]
        names[name] += 1
        consents[answer] += 1
        refused_names[name] += answer is False
    assert expected.members == len(members) == EVENTS
    assert expected.duplicates == duplicates
    assert expected.malformed == sum(faults.values())
    assert expected.malformed_by_fault == faults
    assert expected.by_name == names
    assert expected.refused_by_name == +refused_names
    assert (expected.granted, expected.refused, expected.unstated) == (consents[True], consents[False], consents[None])


def test_the_tallies_cover_only_what_was_handed_out():
    shop = Shop(1, NOW)
    handed_out = list(islice(shop.requests(5000, NOW), 10))
    assert shop.expected.members == sum(request.events for request in handed_out) < 5000


def test_shares_are_near_those_of_the_plan(played):
    expected = played[0].expected
    distinct = expected.granted + expected.refused + expected.unstated
    assert 0.015 < expected.duplicates / EVENTS < 0.025
    assert 0.002 < expected.malformed / EVENTS < 0.004
    assert len(expected.malformed_by_fault) == 5
    assert 0.09 < expected.refused / distinct < 0.15
    assert 0.65 < expected.granted / distinct < 0.75


def test_the_funnel_narrows_at_each_step(played):
    names = played[0].expected.by_name
    steps = ["page", "Product Viewed", "Product Added", "Cart Viewed", "Checkout Started", "Payment Info Entered"]
    counts = [names[step] for step in [*steps, "Order Completed"]]
    assert counts == sorted(set(counts), reverse=True)
    assert names["Order Completed"] * 5000 / EVENTS >= 60


def test_every_kind_of_event_occurs(played):
    assert set(played[0].expected.by_name) == {
        "page", "screen", "identify", "group", "Product List Viewed", "Product Viewed", "Products Searched",
        "Product Added", "Product Added to Wishlist", "Cart Viewed", "Checkout Started", "Payment Info Entered",
        "Order Completed", "Signed Up", "Lead Generated", "Application Installed", "Application Opened",
    }  # fmt: skip


def test_good_members_have_ids_a_library_and_a_time(good):
    for sent in good:
        event = sent.event
        assert event["messageId"]
        assert event["anonymousId"]
        assert event["context"]["library"].keys() == {"name", "version"}
        assert ("timestamp" in event) != ("originalTimestamp" in event)


def test_corrected_times_lie_in_the_last_half_hour_and_some_clocks_are_wrong(good):
    wrong = 0
    for sent in good:
        told = datetime.fromisoformat(sent.event.get("timestamp") or sent.event["originalTimestamp"]).timestamp()
        sent_at = datetime.fromisoformat(sent.sent_at).timestamp()
        assert NOW - 1800 <= told - sent_at + NOW <= NOW
        wrong += abs(told - NOW) > 2 * 3600
    assert 0.01 < wrong / len(good) < 0.08


def test_requests_have_the_shapes_of_their_clients(played):
    sizes = []
    for request in played[1]:
        agent = request.headers["User-Agent"]
        events = [sent.event for sent in read(request)]
        assert len(request.body) < 475_000
        if request.path == "/v1/batch":
            sizes.append(request.events)
            assert agent.startswith(("analytics-python/", "analytics-node"))
            assert request.headers["Content-Type"] == "application/json"
        elif request.path == "/v1/b":
            assert request.headers["Content-Type"].startswith(("text/plain", "application/json"))
        else:
            (event,) = events
            name = request.path.removeprefix("/v1/")
            assert LETTERS.get(name, name) == event["type"]
            assert agent.startswith("Mozilla/5.0")
            assert request.headers["Content-Type"] == (
                "text/plain" if name in LETTERS else "application/json;charset=UTF-8"
            )
    full = [size for size in sizes if 20 <= size <= 100]
    assert len(full) >= len(sizes) - 4, "only the last batch of each server may be short"
    assert sum(sizes) / EVENTS > 0.7
    assert {request.path for request in played[1]} >= {"/v1/b", "/v1/t", "/v1/p", "/v1/i", "/v1/track", "/v1/page"}


def test_browser_pages_and_phones_carry_full_contexts(good):
    for sent in good:
        context = sent.event["context"]
        assert context["locale"]
        assert context["timezone"]
        if "device" in context:
            assert context["device"]["advertisingId"]
            assert context["os"]["name"] in {"iOS", "Android"}
            assert context["app"]["namespace"]
        else:
            assert context["userAgent"].startswith("Mozilla/5.0")
            page = context["page"]
            assert page["url"] == f"https://shop.example{page['path']}{page['search']}"


def test_some_visits_come_from_a_pin_or_a_campaign(good):
    landings = [sent.event for sent in good if sent.event["type"] == "page" and "campaign" in sent.event["context"]]
    assert {event["context"]["campaign"]["source"] for event in landings} == {"pinterest", "newsletter"}
    clicks = [event for event in landings if "epik=" in event["context"]["page"]["search"]]
    assert clicks
    for event in clicks:
        assert re.search(r"[?&]epik=dj0y[A-Za-z0-9_-]{60,}$", event["context"]["page"]["url"])
        assert event["context"]["campaign"]["source"] == "pinterest"


def test_orders_add_up_to_the_cent(tracked):
    orders = [event["properties"] for event in tracked["Order Completed"]]
    assert len({order["order_id"] for order in orders}) == len(orders)
    assert {order["currency"] for order in orders} == {"EUR", "GBP", "USD"}
    assert any(order["coupon"] for order in orders)
    for order in orders:
        lines = sum(Decimal(str(line["price"])) * int(line["quantity"]) for line in order["products"])
        discount, tax, shipping = (Decimal(str(order[name])) for name in ("discount", "tax", "shipping"))
        assert lines == Decimal(str(order["subtotal"])) > 0
        assert (discount > 0) == bool(order["coupon"])
        assert Decimal(str(order["revenue"])) == lines - discount
        assert Decimal(str(order["total"])) == lines + shipping + tax - discount


def test_money_is_written_without_float_noise(played):
    money = re.compile(rb'"(?:price|total|subtotal|revenue|shipping|tax|discount)":"?([^,"}]+)')
    amounts = [amount for request in played[1] for amount in money.findall(request.body)]
    assert len(amounts) > EVENTS / 2
    assert all(re.fullmatch(rb"\d+\.\d{1,2}", amount) for amount in amounts)


def test_a_visitor_keeps_consent_currency_and_address(good):
    kept: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for sent in good:
        event, properties = sent.event, sent.event.get("properties") or {}
        facts = kept[event["anonymousId"]]
        facts["consent"].add(json.dumps(event["context"].get("consent")))
        if "currency" in properties:
            facts["currency"].add(properties["currency"])
        if event.get("userId"):
            facts["user"].add(event["userId"])
        facts["ip"].add(sent.request.headers.get("X-Forwarded-For") or event["context"]["ip"])
    assert all(len(values) == 1 for facts in kept.values() for values in facts.values())
    users = [user for facts in kept.values() for user in facts["user"]]
    assert len(set(users)) == len(users)


def test_visitors_come_back_and_sign_in_later():
    shop = Shop(5, NOW)
    seen: dict[str, set[str | None]] = defaultdict(set)
    for now in (NOW, NOW + 3600):
        for request in shop.requests(4000, now):
            for sent in read(request):
                if sent.fault is None:
                    seen[sent.event["anonymousId"]].add(sent.event.get("userId") or None)
    assert shop.expected.members == 8000
    assert sum(len(users) == 2 and None in users for users in seen.values()) > 20


def test_nobody_in_the_traffic_can_be_reached(good):
    people = traits_of(good)
    emails = [traits["email"] for traits in people.values()]
    assert len({email.strip().lower() for email in emails}) == len(emails)
    assert all(re.fullmatch(r"\s?[\w.+-]+@example\.(com|org|net)\s?", email.lower()) for email in emails)
    assert all(FICTION.fullmatch(re.sub(r"\D", "", traits["phone"])) for traits in people.values())
    addresses = {sent.request.headers.get("X-Forwarded-For") or sent.event["context"]["ip"] for sent in good}
    assert all(any(ipaddress.ip_address(address) in block for block in DOCUMENTATION) for address in addresses)
    assert {ipaddress.ip_address(address).version for address in addresses} == {4, 6}


def test_odd_but_valid_values_occur(good, tracked):
    people = list(traits_of(good).values())
    added = [event["properties"] for event in tracked["Product Added"]]
    assert any(re.fullmatch(r"\d+\.\d\d", line["price"]) for line in added if isinstance(line["price"], str))
    assert any(isinstance(line["quantity"], str) for line in added)
    assert any(event["properties"] is None for event in tracked["Cart Viewed"])
    assert any(traits["email"].isupper() for traits in people)
    assert any("(" in traits["phone"] for traits in people)
    assert any(not unicodedata.is_normalized("NFC", traits["lastName"]) for traits in people)
    assert any("userId" in sent.event and sent.event["userId"] is None for sent in good)


def test_the_catalogue_has_sixty_distinct_products():
    facts = [product.facts["EUR"] for product in PRODUCTS]
    assert len(PRODUCTS) == 60
    assert all(len({fact[name] for fact in facts}) == 60 for name in ("product_id", "sku", "name", "url"))
    assert {fact["category"] for fact in facts} == {collection.name for collection in COLLECTIONS}
    assert all(re.fullmatch(r"https://shop\.example/products/[a-z0-9-]+", fact["url"]) for fact in facts)

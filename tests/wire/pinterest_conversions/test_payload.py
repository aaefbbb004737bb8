"""What Pinterest is sent, whatever came in: valid by its contract, or withheld with the cause."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from judging import KIND, NOW, SECRETS, SETTINGS, judge, payload, source

from pinyon.flows.route import Ready, Stopped
from pinyon.testing.oracle import check_body, check_payloads

BROWSER = {"ip": "203.0.113.9", "userAgent": "Mozilla/5.0"}
PHONE = {**BROWSER, "device": {"type": "ios", "advertisingId": "7A3CBEA0-BDF5-11E4-8DFC-AA07A5B093DB"}}


def track(name="Order Completed", context=BROWSER, **members):
    return {"type": "track", "event": name, "messageId": "m-1", "userId": "u-1", "context": context, **members}


# Names of the Segment spec and Pinterest's names for them. Sources: the presets of segmentio/action-destinations,
# pinterest-conversions; the Segment e-commerce spec v2; Pinterest API description 5.28.0.
NAMES = {
    "Payment Info Entered": "add_payment_info",
    "Product Added": "add_to_cart",
    "Product Added to Wishlist": "add_to_wishlist",
    "Application Installed": "app_install",
    "Application Opened": "app_open",
    "Order Completed": "checkout",
    "Checkout Started": "initiate_checkout",
    "Generate Lead": "lead",
    "Lead Generated": "lead",
    "Products Searched": "search",
    "Product List Filtered": "search",
    "Signed Up": "signup",
    "Trial Started": "start_trial",
    "Subscription Created": "subscribe",
    "Product Category Viewed": "view_category",
    "Product List Viewed": "view_category",
    "Product Viewed": "view_content",
    "Product Video Watched": "watch_video",
    "Video Playback Started": "watch_video",
}


@pytest.mark.parametrize("context", [BROWSER, PHONE], ids=["browser", "phone"])
@pytest.mark.parametrize(("event", "name"), NAMES.items())
def test_every_named_event_is_valid(event, name, context):
    properties = {"value": 9.99, "product_id": "p1", "order_id": "o1", "query": "x", "currency": "EUR"}
    found = payload(track(event, context, properties=properties))
    assert found["event_name"] == name
    check_payloads([found])


def test_a_page_is_a_page_visit():
    found = payload({"type": "page", "anonymousId": "a", "context": BROWSER})
    assert found["event_name"] == "page_visit"
    check_payloads([found])


def test_the_preset_has_these_rules_and_no_other():
    [preset] = [preset for preset in KIND.presets if preset.name == "pinyon"]
    rules = {(rule.trigger.type, rule.trigger.event): rule.name for rule in preset.rules}
    assert rules == {("page", None): "page_visit"} | {("track", event): name for event, name in NAMES.items()}


# Events, however odd.

TEXTS = st.text(st.characters(), max_size=12) | st.sampled_from(["", " ", "x" * 300, "é" * 101, "🛒" * 60, "\0", "1e9"])
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, 2**64, -1, 10**40, 1e308, 0.1 + 0.2, -0.0])
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
ODD = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2))


def mostly(good):
    """One value in five is odd: enough of the rest is left for a payload to come of it."""
    return st.integers(0, 4).flatmap(lambda chance: good if chance else ODD)


def members(**strategies):
    return st.fixed_dictionaries({}, optional={name: mostly(good) for name, good in strategies.items()})


EMAILS = st.sampled_from(
    ["Jane@Example.com", "a@b.org", "86E0B9E56C17CC4D12387E1949B85053FBE73BC3CE5A1188713A9D300CC6133D"]
)
MONEY = st.decimals(-1000, 1000, places=2).map(str) | st.floats(0, 1000) | NUMBERS
QUANTITIES = st.integers(0, 5) | st.sampled_from([2**63 - 1, 2**62, 2**63]) | NUMBERS
PRODUCTS = members(product_id=TEXTS, sku=TEXTS, name=TEXTS, brand=TEXTS, price=MONEY, quantity=QUANTITIES)
PROPERTIES = members(
    **dict.fromkeys(("value", "total", "revenue", "price", "predicted_ltv"), MONEY),
    **dict.fromkeys(("order_id", "query", "name", "category", "brand", "title", "url", "epik", "product_id"), TEXTS),
    email=EMAILS,
    currency=st.sampled_from(["EUR", "usd", "XXX"]),
    products=st.lists(mostly(PRODUCTS), max_size=3),
    quantity=QUANTITIES,
)
ADDRESS = members(city=TEXTS, state=TEXTS, postalCode=TEXTS, country=st.sampled_from(["US", "Germany"]))
TRAITS = members(
    **dict.fromkeys(("phone", "firstName", "last_name", "gender", "birthday", "zip", "country"), TEXTS),
    email=EMAILS,
    address=ADDRESS,
)
CONTEXT = members(
    ip=st.sampled_from(["203.0.113.9", "2001:db8::1"]),
    userAgent=st.just("Mozilla/5.0") | TEXTS,
    locale=st.sampled_from(["en-GB", "de"]),
    timezone=TEXTS,
    page=members(url=TEXTS, search=TEXTS, title=TEXTS),
    device=members(
        type=st.sampled_from(["ios", "Android"]),
        **dict.fromkeys(("advertisingId", "model", "manufacturer"), TEXTS),
        adTrackingEnabled=st.booleans(),
    ),
    os=members(name=st.sampled_from(["iOS", ""]), version=TEXTS),
    app=members(name=TEXTS, version=TEXTS, namespace=TEXTS),
    network=members(carrier=TEXTS, wifi=st.booleans()),
    traits=TRAITS,
    consent=members(categoryPreferences=ODD),
)
EVENTS = st.fixed_dictionaries(
    {"type": st.just("track"), "event": st.sampled_from([*NAMES]), "context": mostly(CONTEXT)},
    optional={
        "properties": mostly(PROPERTIES),
        "traits": mostly(TRAITS),
        **dict.fromkeys(("userId", "anonymousId", "name", "category", "timestamp", "sentAt", "channel"), ODD),
    },
)


@settings(max_examples=300, deadline=None)
@given(EVENTS, st.sampled_from([None, "203.0.113.9"]))
@example(track(properties={"products": [{"product_id": "p", "quantity": 2**63}], "value": 1}), None)
@example(track(properties={"products": [{"product_id": "p", "quantity": 2**63 - 1}] * 2}), None)
@example(track(properties={"products": [{"product_id": "p", "quantity": 2**70}]}), None)
@example(track(properties={"product_id": "p", "quantity": 2**63}), None)
@example(track(context={**PHONE, "app": {"name": "x" * 201}, "timezone": "x" * 41, "locale": "x" * 36}), None)
def test_an_odd_event_is_valid_or_stopped(event, ip):
    verdict = judge(event, ip=ip, user_agent="Mozilla/5.0" if ip else None)
    if isinstance(verdict, Ready):
        check_payloads([json.loads(verdict.payload)])
    else:
        assert verdict.cause in {"identity_insufficient", "too_old", "unmapped"}
        assert verdict.detail


@settings(max_examples=200, deadline=None)
@given(EVENTS.map(lambda event: {"event": event["event"], "uuid": "u", "distinct_id": "d", "properties": event}) | ODD)
def test_an_odd_event_of_posthog_is_valid_or_stopped(event):
    if isinstance(event, dict) and {"event", "uuid", "distinct_id"} <= event.keys():
        verdict = judge(event, dialect="posthog")
    else:
        verdict = judge(json.dumps(event).encode(), dialect="posthog")
    if isinstance(verdict, Ready):
        check_payloads([json.loads(verdict.payload)])


@settings(max_examples=200, deadline=None)
@given(st.binary(), st.sampled_from(["segment", "posthog"]))
@example(b"[1]", "posthog")
@example(b'{"event":"\xff"}', "posthog")
@example(b"5", "segment")
@example(b'{"event":"$pageview","properties":{"a":"\\ud83d","b":1e999}}', "posthog")
@example(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "posthog")
@example(b'{"properties":{"a":' + b"9" * 5_000 + b"}}", "posthog")
def test_any_bytes_are_judged(body, dialect):
    assert isinstance(judge(body, dialect=dialect), Ready | Stopped)


def test_an_event_of_posthog_with_odd_unicode_is_not_lost():
    """The head of such an event is readable, so it was accepted; JavaScript writes lone surrogates."""
    body = b'{"event":"Order Completed","uuid":"u","distinct_id":"d","properties":{"$ip":"203.0.113.9",'
    body += b'"$raw_user_agent":"Mozilla/5.0","note":"\\ud83d","big":1e999}}'
    assert isinstance(judge(body, dialect="posthog"), Ready)


# Bounds. Source: Pinterest API description 5.23.0, ConversionEventAppInfo and ConversionEventDeviceInfo.
BOUNDS = [
    ("app", "name", "app_info", "app_name", 200),
    ("app", "namespace", "app_info", "app_package_name", 200),
    ("device", "manufacturer", "device_info", "brand", 100),
    ("device", "model", "device_info", "model", 100),
    ("os", "version", "device_info", "os_version", 100),
    ("network", "carrier", "device_info", "carrier", 100),
]


@pytest.mark.parametrize(("place", "name", "within", "member", "most"), BOUNDS)
def test_a_member_beyond_its_bound_is_dropped_alone(place, name, within, member, most):
    def sent(value):
        context = {**PHONE, place: {**PHONE.get(place, {}), name: value}}
        found = payload(track(context=context))
        check_payloads([found])
        return found.get(within, {}).get(member)

    assert sent("x" * most) == "x" * most
    assert sent("x" * (most + 1)) is None


def test_a_number_beyond_64_bits_is_dropped_alone():
    found = payload(track(properties={"value": 5, "products": [{"product_id": "p", "quantity": 2**63}]}))
    assert found["custom_data"]["value"] == "5"
    assert found["custom_data"]["contents"] == [{"id": "p"}]
    assert "num_items" not in found["custom_data"]


# Withheld.


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"ip": "203.0.113.9"},
        {"userAgent": "Mozilla/5.0"},
        {"ip": "nowhere", "userAgent": "Mozilla/5.0"},
        {"ip": "203.0.113.9", "userAgent": " "},
        {"traits": {"phone": "+15551234567", "firstName": "Jane"}},
        {"page": {"url": "https://shop.example/?epik=abc"}},
        {"device": {"advertisingId": "00000000-0000-0000-0000-000000000000"}},
    ],
)
def test_too_little_identity(context):
    verdict = judge(track(context=context))
    assert (verdict.state, verdict.cause, verdict.name) == ("withheld", "identity_insufficient", "checkout")
    assert "context.traits.email" in verdict.detail


@pytest.mark.parametrize("context", [BROWSER, {"traits": {"email": "a@b.org"}}, {"device": PHONE["device"]}])
def test_enough_identity(context):
    check_payloads([payload(track(context=context))])


DAY = 86_400


def test_events_older_than_seven_days_are_withheld():
    def sent_after(seconds):
        return judge(track(timestamp=int(NOW)), now=NOW + seconds)

    assert isinstance(sent_after(7 * DAY), Ready)
    assert sent_after(7 * DAY + 1).cause == "too_old"


def test_events_without_a_rule_are_withheld():
    for event in (
        {**track(), "event": "Coupon Denied"},
        {**track(), "type": "screen"},
        {**track(), "type": "identify"},
    ):
        verdict = judge(event)
        assert (verdict.state, verdict.cause) == ("withheld", "unmapped")
        assert event["type"] in verdict.detail


def test_events_without_consent_are_withheld_before_anything_is_read_of_the_person():
    ads = ("Advertising",)
    refused = track(context={**BROWSER, "consent": {"categoryPreferences": {"Advertising": False}}})
    verdict = judge(refused, categories=ads)
    assert (verdict.state, verdict.cause) == ("withheld", "consent")
    assert "advertising" in verdict.detail
    assert judge(track(), categories=ads).cause == "consent"
    assert isinstance(judge(track(), at=source(consent_default="granted"), categories=ads), Ready)
    allowed = track(context={**BROWSER, "consent": {"categoryPreferences": {"Advertising": True}}})
    assert isinstance(judge(allowed, categories=ads), Ready)


def test_a_body_that_is_no_event_is_dead():
    verdict = judge(b"not json")
    assert (verdict.state, verdict.cause) == ("dead", "undecodable")


def test_the_detail_of_an_unmapped_event_is_short():
    assert len(judge({**track(), "event": "x" * 10_000}).detail) < 300


# The request.


def test_the_request():
    connection = KIND.connect(SETTINGS, SECRETS, "https://api.pinterest.com/v5/")
    ready = [judge(track(messageId=f"m-{number}")) for number in range(3)]
    request = connection.prepare([each.payload for each in ready])
    assert (request.method, request.url) == ("POST", "https://api.pinterest.com/v5/ad_accounts/549755885175/events")
    assert request.headers == {"Authorization": "Bearer pina_token", "Content-Type": "application/json"}
    assert request.events == 3
    assert [event["event_id"] for event in check_body(request.body)] == ["m-0", "m-1", "m-2"]
    assert (connection.batch_events, connection.rate_per_minute) == (1_000, 5_000.0)

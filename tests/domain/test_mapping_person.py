"""Who an event is about: where identifiers are found, and that each is hashed once and only once.

What an identifier is before it is hashed stands in test_identity.py; here the normal form is written out by hand.
"""

from hashlib import sha256

import pytest
from cleared import BROWSER, NOW, SERVER, WEB, cleared, person
from hypothesis import given
from hypothesis import strategies as st


def digests(*texts):
    return [sha256(text.encode()).hexdigest() for text in texts]


JANE = {"email": " Jane@Example.com", "phone": "+44 (20) 7946-0958", "firstName": "Jane", "lastName": "Doe"}

# Places by the Segment spec (identify traits, context.traits) and by what shops put into properties.
EMAILS = [
    ({"context": {"traits": {"email": "Jane@Example.com "}}}, ["jane@example.com"]),
    ({"traits": {"email": "jane@example.com"}}, ["jane@example.com"]),
    ({"properties": {"email": "JANE@EXAMPLE.COM"}}, ["jane@example.com"]),
    ({"context": {"traits": {"email": "a@x.org"}}, "traits": {"email": "A@x.org"}}, ["a@x.org"]),
    ({"context": {"traits": {"email": "a@x.org"}}, "properties": {"email": "b@x.org"}}, ["a@x.org", "b@x.org"]),
    ({"context": {"traits": {"email": "not one"}}, "properties": {"email": "b@x.org"}}, ["b@x.org"]),
]


@pytest.mark.parametrize(("event", "emails"), EMAILS)
def test_emails(event, emails):
    assert cleared(event).identity.emails == digests(*emails)


@pytest.mark.parametrize("email", [None, "", " ", "nobody", 5, True, ["a@x.org"], {"a@x.org": 1}])
def test_what_is_no_address_is_left_out(email):
    for event in ({"traits": {"email": email}}, {"properties": {"email": email}}):
        assert cleared(event).identity.emails is None


def test_the_person_of_a_call():
    found = person(context={"traits": JANE}, userId="User-1", anonymousId="anon-1")
    assert found.emails == digests("jane@example.com")
    assert found.phones == digests("442079460958")
    assert (found.first_names, found.last_names) == (digests("jane"), digests("doe"))
    assert found.external_ids == digests("user-1", "anon-1")


def test_names_in_either_spelling():
    assert person(traits={"first_name": "Jane", "last_name": "Doe"}).first_names == digests("jane")
    assert person(properties={"first_name": "Jane", "last_name": "Doe"}).last_names == digests("doe")


ADDRESSES = [
    {"address": {"city": "New York", "state": "NY", "postalCode": "10001-1234", "country": "US"}},
    {"city": "New York", "state": "NY", "zip": "10001-1234", "country": "US"},
    {"address": {"street": "5th Avenue"}, "city": "New York", "state": "NY", "zip": "10001-1234", "country": "US"},
    {"address": {"city": "New York", "state": "NY"}, "zip": "10001-1234", "country": "US"},
    {"address": "5th Avenue", "city": "New York", "state": "NY", "zip": "10001-1234", "country": "US"},
]


@pytest.mark.parametrize("traits", ADDRESSES)
def test_the_address_in_one_object_or_flat(traits):
    found = person(traits=traits)
    assert found.cities == digests("newyork")
    assert found.states == digests("ny")
    assert found.postcodes == digests("10001")
    assert found.countries == digests("us")


def test_postcodes_of_two_places_are_both_kept():
    home, office = {"zip": "10001", "country": "US"}, {"zip": "94107", "country": "US"}
    found = person(context={"traits": home}, traits=office)
    assert found.postcodes == digests("10001", "94107")


def test_gender_and_birthday():
    found = person(traits={"gender": "Female", "birthday": "1990-05-31T00:00:00Z"})
    assert (found.genders, found.birth_dates) == (digests("f"), digests("19900531"))


@pytest.mark.parametrize(
    ("event", "ids"),
    [
        ({"userId": "", "anonymousId": "anon-1"}, ["anon-1"]),
        ({"userId": 4711}, ["4711"]),
        ({"userId": 4711.0}, ["4711"]),
        ({"userId": "same", "anonymousId": "Same"}, ["same"]),
    ],
)
def test_external_ids(event, ids):
    assert cleared(event).identity.external_ids == digests(*ids)


@pytest.mark.parametrize("odd", [None, "", True, [], {"id": 1}])
def test_what_is_no_id_is_left_out(odd):
    assert person(userId=odd, anonymousId=odd).external_ids is None


def test_advertising_ids_but_not_that_of_a_device_that_denies():
    maid = "AEBE52E7-03EE-455A-B3C4-E57283966239"  # the example of Segment's iOS documentation is of this form
    assert person(context={"device": {"advertisingId": maid}}).advertising_ids == digests(maid.lower())
    nobody = "00000000-0000-0000-0000-000000000000"
    assert person(context={"device": {"advertisingId": nobody}}).advertising_ids is None


def test_a_digest_is_not_hashed_again():
    [digest] = digests("jane@example.com")
    assert person(traits={"email": digest.upper()}).emails == [digest]


# The click id. Source: Pinterest's help page on tag parameters and cookies (epik in the URL, kept in _epik).
URL = "https://shop.example/p?x=1&epik=dj0yJnU9dXJs#top"
CLICKS = [
    ({"url": URL, "search": "?epik=search"}, {"url": "https://a.example/?epik=other", "epik": "named"}, "dj0yJnU9dXJs"),
    ({"url": "https://shop.example/", "search": "?a=b&EPIK=Search"}, {"epik": "named"}, "Search"),
    ({"search": "epik=search"}, {}, "search"),
    ({}, {"url": URL, "epik": "named"}, "dj0yJnU9dXJs"),
    ({}, {"epik": "dj0yJnU9%3D", "clickId": "other"}, "dj0yJnU9%3D"),
    ({}, {"epik": "", "clickId": "camel"}, "camel"),
    ({}, {"click_id": "snake"}, "snake"),
    ({"url": "https://shop.example/?epik="}, {}, None),
    ({"url": "https://shop.example/epik=path"}, {}, None),
    ({"url": 5, "search": ["?epik=x"]}, {"epik": 7}, None),
]


@pytest.mark.parametrize(("page", "properties", "click_id"), CLICKS)
def test_the_newest_click_wins_and_is_passed_on_as_it_is(page, properties, click_id):
    assert person(context={"page": page}, properties=properties).click_id == click_id


ADDRESS, OTHER = "203.0.113.9", "198.51.100.7"


def test_the_browser_of_a_web_source_stands_in_for_what_the_event_leaves_out():
    found = cleared({}, ip=ADDRESS, user_agent=BROWSER).identity
    assert (found.ip, found.user_agent) == (ADDRESS, BROWSER)


def test_what_the_event_names_counts_for_more_than_the_peer():
    event = {"context": {"ip": OTHER, "userAgent": "Mozilla/5.0 (iPhone)"}}
    found = cleared(event, ip=ADDRESS, user_agent=BROWSER).identity
    assert (found.ip, found.user_agent) == (OTHER, "Mozilla/5.0 (iPhone)")


@pytest.mark.parametrize(
    ("source", "agent"),
    [(SERVER, BROWSER), (WEB, "analytics-python/2.4.0"), (WEB, None), (WEB, ""), (SERVER, "python-requests/2.32")],
)
def test_a_server_is_not_the_person(source, agent):
    found = cleared({}, source=source, ip=ADDRESS, user_agent=agent).identity
    assert (found.ip, found.user_agent) == (None, None)


# Source: RFC 1918, RFC 3927, RFC 6598, RFC 4193, RFC 4291.
LOCAL = ["10.0.0.1", "127.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.1.1", "100.64.0.1"]


@pytest.mark.parametrize("address", [*LOCAL, "::1", "fd00::1", "fe80::1"])
def test_the_address_of_a_proxy_is_not_the_persons(address):
    assert cleared({}, ip=address, user_agent=BROWSER).identity.ip is None


@pytest.mark.parametrize("address", ["172.32.0.1", "100.128.0.1", "11.0.0.1", "192.169.0.1", "2001:db8::1"])
def test_a_public_address_beside_the_local_ones_is_kept(address):
    assert cleared({}, ip=address, user_agent=BROWSER).identity.ip == address


@pytest.mark.parametrize("hidden", ["0.0.0.0", "::", "::ffff:0.0.0.0"])  # noqa: S104 - a value that is looked for
def test_an_address_that_the_sender_hides_stays_hidden(hidden):
    """Clients send the unspecified address where no address is to be kept; it is not replaced by the peer's."""
    assert cleared({"context": {"ip": hidden}}, ip=ADDRESS, user_agent=BROWSER).identity.ip is None


@pytest.mark.parametrize("odd", ["unknown", "203.0.113.9:443", "203.0.113.256", "[2001:db8::1]", 5, ["203.0.113.9"]])
def test_what_is_no_address_is_never_sent(odd):
    assert cleared({"context": {"ip": odd, "userAgent": BROWSER}}).identity.ip is None


@pytest.mark.parametrize("blank", ["", "  ", None, 5])
def test_a_user_agent_of_nothing_is_none(blank):
    assert cleared({"context": {"userAgent": blank, "ip": ADDRESS}}).identity.user_agent is None


PII = st.one_of(
    st.emails(),
    st.integers(10**9, 10**12).map(lambda number: f"+{number}"),
    st.text(st.characters(codec="utf-8"), min_size=4, max_size=20).filter(str.strip),
)
LISTS = ("emails", "phones", "first_names", "last_names", "cities", "states", "postcodes", "countries", "external_ids")


@given(st.dictionaries(st.sampled_from([*JANE, "city", "state", "zip", "country", "gender", "birthday"]), PII), PII)
def test_nothing_clear_comes_out(traits, user_id):
    found = cleared({"traits": traits, "context": {"traits": traits}, "userId": user_id}, received_at=NOW).identity
    for name in (*LISTS, "genders", "birth_dates"):
        for digest in getattr(found, name) or ():
            assert len(digest) == 64
            assert set(digest) <= set("0123456789abcdef")
        assert getattr(found, name) != []

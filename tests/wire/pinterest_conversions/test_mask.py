"""A payload for people's eyes: what it is about is there, whom it is about is not."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from judging import KIND, SECRETS, SETTINGS

CONNECTION = KIND.connect(SETTINGS, SECRETS, "https://pinterest.invalid/v5")
VECTORS = [json.loads(path.read_text("utf-8")) for path in (Path(__file__).parent / "vectors").glob("*.json")]
PAYLOADS = [vector["payload"] for vector in VECTORS if "payload" in vector]


def masked(payload):
    return CONNECTION.mask(json.dumps(payload).encode())


def identifiers(payload):
    """All of a payload that names a person."""
    user = payload["user_data"]
    found = [digest for value in user.values() if isinstance(value, list) for digest in value]
    found += [user[name] for name in ("client_ip_address", "click_id", "partner_id") if name in user]
    return found + [value for _, value in parse_qsl(urlsplit(payload.get("event_source_url", "")).query)]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload["event_id"])
def test_no_identifier_is_whole(payload):
    shown = json.dumps(masked(payload))
    assert identifiers(payload)
    for identifier in identifiers(payload):
        assert identifier not in shown


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda payload: payload["event_id"])
def test_all_else_is_as_it_is_sent(payload):
    shown = masked(payload)
    assert shown.keys() == payload.keys()
    assert shown["user_data"].keys() == payload["user_data"].keys()
    for name in payload.keys() - {"user_data", "event_source_url"}:
        assert shown[name] == payload[name]


def shown_user(**user):
    return masked({"user_data": user})["user_data"]


@pytest.mark.parametrize(
    ("ip", "shown"),
    [("203.0.113.9", "203.0.113.…"), ("2001:db8:1:2::9", "2001:…"), ("::1", ":…")],
)
def test_an_address_loses_what_tells_one_from_another(ip, shown):
    assert shown_user(client_ip_address=ip) == {"client_ip_address": shown}


def test_a_digest_keeps_enough_to_be_compared():
    digest = "86e0b9e56c17cc4d12387e1949b85053fbe73bc3ce5a1188713a9d300cc6133d"
    assert shown_user(em=[digest]) == {"em": ["86e0b9e5…"]}


@given(st.text(min_size=1, max_size=100))
@example("a")
@example("abcdef")
def test_a_click_id_is_never_shown_whole(click_id):
    shown = shown_user(click_id=click_id)["click_id"]
    assert shown.endswith("…")
    assert len(shown) <= 7
    assert len(shown.removesuffix("…")) < len(click_id)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://shop.example/p?epik=abc&email=jane%40example.com", "https://shop.example/p?…"),
        ("https://shop.example/p#token", "https://shop.example/p"),
        ("https://jane:secret@shop.example:8443/p", "https://shop.example:8443/p"),
        ("https://shop.example/p", "https://shop.example/p"),
        ("/p?email=jane@example.com", "/p?…"),
        ("https://[half/p?q", "…"),
    ],
)
def test_a_url_loses_query_fragment_and_name(url, shown):
    assert masked({"user_data": {}, "event_source_url": url})["event_source_url"] == shown


URLS = st.text(st.sampled_from("htps:/?#[]@!$&'()*+,;=%abc.\\ \t\n\u2100é")) | st.text()


@given(URLS)
@example("https://[::1")
@example("//\u2100@")
@example("http://a\u2100b/?q")
def test_any_url_is_shown_without_its_query(url):
    shown = masked({"user_data": {}, "event_source_url": url})["event_source_url"]
    assert shown.partition("?")[2] in ("", "…")
    assert "#" not in shown


@pytest.mark.parametrize("payload", [{}, {"user_data": {}}, {"event_source_url": ""}])
def test_what_is_not_there_is_not_shown(payload):
    assert masked(payload) == payload

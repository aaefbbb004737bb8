"""The sandbox's own routes, ``/_sandbox/...``, and those about accounts."""

import pytest
from sandbox_calls import ACCOUNT, NOW, TOKEN, bearer, event, send, stats

from pinyon.sandbox import parse_token


def ids(client, **query):
    page = client.get("/_sandbox/events", params=query).json()
    return [item["event"]["event_id"] for item in page["items"]], page["next"]


def test_counts_start_at_nothing(start):
    assert stats(start()) == {
        "requests": 0,
        "test_requests": 0,
        "received": 0,
        "unique_events": 0,
        "duplicates": 0,
        "failed": 0,
        "by_event_name": {},
        "by_status": {},
        "faults": "",
    }


def test_counts_add_up(start):
    client = start()
    send(client, event("a"), event("b", event_name="lead"), event("c", event_time=1))
    send(client, event("a"))
    send(client, event("d", more=1))
    seen = stats(client)
    assert (seen["requests"], seen["by_status"]) == (3, {"200": 1, "400": 1, "422": 1})
    assert seen["by_event_name"] == {"checkout": 1, "lead": 1}
    assert seen["received"] == seen["unique_events"] + seen["duplicates"] + seen["failed"] == 4


def test_events_are_shown_as_they_were_sent(start, clock):
    client = start()
    sent = event("a", user_data={"em": ["0" * 64], "unknown": [1.0]}, custom_data={"order_id": "o1", "value": None})
    clock.at = NOW + 0.25
    send(client, sent)
    assert client.get("/_sandbox/events").json() == {
        "items": [
            {"position": 1, "ad_account_id": ACCOUNT, "received_at": NOW + 0.25, "test": False, "event": sent},
        ],
        "next": None,
    }


def test_events_are_found_by_id_name_and_order(start):
    client = start()
    send(client, event("a"), event("b", event_name="lead"), event("b", custom_data={"order_id": "o1"}), event("c"))
    assert ids(client) == (["a", "b", "b", "c"], None)
    assert ids(client, event_id="b") == (["b", "b"], None)
    assert ids(client, event_id="b", event_name="lead") == (["b"], None)
    assert ids(client, order_id="o1") == (["b"], None)
    assert ids(client, order_id="o2") == ([], None)


def test_events_are_read_page_by_page(start):
    client = start()
    send(client, *(event(str(number)) for number in range(5)))
    assert ids(client, limit=2) == (["0", "1"], 2)
    assert ids(client, limit=2, after=2) == (["2", "3"], 4)
    assert ids(client, limit=2, after=4) == (["4"], None)
    assert ids(client, limit=5) == (["0", "1", "2", "3", "4"], None)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"after": "-1"}])
def test_a_page_that_cannot_be_is_refused(start, query):
    assert start().get("/_sandbox/events", params=query).status_code == 400


def test_old_events_are_dropped_but_stay_counted(start):
    client = start(keep=3)
    send(client, *(event(str(number)) for number in range(5)))
    send(client, event("0"))
    assert ids(client) == (["3", "4", "0"], None)
    assert (stats(client)["unique_events"], stats(client)["duplicates"]) == (5, 1)


def test_neither_failed_nor_test_events_are_kept(start):
    client = start()
    send(client, event("a", event_time=1), event("b"))
    send(client, event("c"), test="true")
    assert ids(client) == (["b"], None)


def test_requests_are_shown_newest_first_without_tokens(start):
    client = start()
    send(client, event("a"))
    send(client, event("b"), account="not-an-account")
    send(client, event("c", event_time=1), test="true")
    reply = client.get("/_sandbox/requests")
    items = reply.json()["items"]
    assert [
        (item["status"], item["ad_account_id"], item["events"], item["failed"], item["test"]) for item in items
    ] == [
        (422, ACCOUNT, 1, 1, True),
        (403, "?", None, None, False),
        (200, ACCOUNT, 1, 0, False),
    ]
    assert items[0]["received_at"] == NOW
    assert items[0]["message"] == "Invalid event_timestamp parameter. Given timestamp is in the past"
    assert TOKEN not in reply.text


def test_the_latest_200_requests_are_kept(start):
    client = start()
    for _ in range(201):
        send(client)
    assert len(client.get("/_sandbox/requests").json()["items"]) == 200
    assert stats(client)["requests"] == 201


def test_reset_forgets_events_and_limits_but_not_tokens_and_faults(start):
    client = start(rate_limit_per_minute=1, faults="latency_ms=1")
    client.post("/_sandbox/tokens", json={"token": "pina_new", "ad_accounts": ["1"]})
    assert [send(client, event()).status_code for _ in range(2)] == [200, 429]
    assert client.post("/_sandbox/reset").status_code == 204
    assert (stats(client)["requests"], stats(client)["unique_events"]) == (0, 0)
    assert ids(client) == ([], None)
    assert [send(client, event()).status_code for _ in range(2)] == [200, 429]
    assert stats(client)["faults"] == "latency_ms=1"
    assert send(client, event(), account="1", token="pina_new").status_code == 200


def test_faults_are_changed_on_the_way(start):
    client = start()
    assert client.put("/_sandbox/faults", json={"spec": "503=1"}).json() == {"spec": "503=1"}
    assert send(client, event()).status_code == 503
    reply = client.put("/_sandbox/faults", json={"spec": "503=7"})
    assert (reply.status_code, reply.json()["message"]) == (400, "fault '503=7': 503 takes a number from 0 to 1")
    assert send(client, event()).status_code == 503
    client.put("/_sandbox/faults", json={"spec": ""})
    assert send(client, event()).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{}", b'{"spec": 1}', b'{"spec": "", "more": 1}', b"\xff"])
def test_a_body_that_is_not_understood_is_refused(start, body):
    reply = start().put("/_sandbox/faults", content=body)
    assert (reply.status_code, reply.json()["message"]) == (400, "The body needs the members spec.")


def test_tokens_come_and_go(start):
    client = start()
    assert send(client, event(), account="7", token="pina/new").status_code == 401
    assert client.post("/_sandbox/tokens", json={"token": "pina/new", "ad_accounts": ["7"]}).status_code == 201
    assert send(client, event(), account="7", token="pina/new").status_code == 200
    assert client.delete("/_sandbox/tokens/pina/new").status_code == 204
    assert send(client, event(), account="7", token="pina/new").status_code == 401
    assert client.delete("/_sandbox/tokens/pina/new").status_code == 404


@pytest.mark.parametrize("account", ["", "abc", "1" * 19, 7])
def test_an_ad_account_is_1_to_18_digits(start, account):
    client = start()
    assert client.post("/_sandbox/tokens", json={"token": "t", "ad_accounts": [account]}).status_code == 400


def test_a_token_option_is_read():
    assert parse_token("pina_a:1") == ("pina_a", frozenset({"1"}))
    assert parse_token("with:colon:1,22") == ("with:colon", frozenset({"1", "22"}))


@pytest.mark.parametrize("option", ["pina_secret", "pina_secret:", ":1", "pina_secret:1,x", "pina_secret:1,"])
def test_a_wrong_token_option_is_refused_without_repeating_it(option):
    with pytest.raises(ValueError, match=r"token:account\[,account\]") as caught:
        parse_token(option)
    assert "secret" not in str(caught.value)


# The members: API description 5.23.0, schemas Account and AdAccount, operation ad_accounts/list.
def test_each_token_sees_its_own_accounts(start):
    client = start(tokens={TOKEN: frozenset({"2", "1"}), "pina_b": frozenset()})
    page = client.get("/v5/ad_accounts").json()
    assert ([item["id"] for item in page["items"]], page["bookmark"]) == (["1", "2"], None)
    assert client.get("/v5/ad_accounts", headers=bearer("pina_b")).json() == {"items": [], "bookmark": None}
    assert client.get("/v5/ad_accounts/1").json() == page["items"][0]
    assert client.get("/v5/ad_accounts/3").json()["code"] == 29
    users = [client.get("/v5/user_account", headers=bearer(token)).json() for token in (TOKEN, "pina_b")]
    assert all(user["id"].isdecimal() and user["username"] for user in users)
    assert users[0]["id"] != users[1]["id"]


@pytest.mark.parametrize("path", ["/v5/user_account", "/v5/ad_accounts", f"/v5/ad_accounts/{ACCOUNT}"])
def test_accounts_need_a_token(start, path):
    reply = start().get(path, headers=bearer("pina_other"))
    assert (reply.status_code, reply.json()) == (401, {"code": 2, "message": "Authentication failed."})

"""``POST /v5/ad_accounts/{ad_account_id}/events`` over a socket.

Statuses, codes and texts of refusals: Pinterest API description 5.23.0, operation events/create. The shape of a 422 and
the words about ``event_timestamp``: github.com/segmentio/action-destinations/pull/2465. The words about an unknown
member: github.com/woocommerce/pinterest-for-woocommerce/issues/967.
"""

import json

import pytest
from sandbox_calls import ACCOUNT, DIGEST, NOW, bearer, event, send, stats

PROCESSED = {"status": "processed", "error_message": "", "warning_message": ""}
PAST = "Invalid event_timestamp parameter. Given timestamp is in the past"
FUTURE = "Invalid event_timestamp parameter. Given timestamp is in the future"
DAY = 24 * 3600


def test_a_good_batch_is_processed_in_its_order(start):
    client = start()
    reply = send(client, event("a"), event("b"))
    assert reply.status_code == 200
    assert reply.json() == {"num_events_received": 2, "num_events_processed": 2, "events": [PROCESSED, PROCESSED]}
    assert reply.headers["x-pinterest-rid"].isdecimal()


def test_an_unknown_token_is_refused_before_anything_else(start):
    headers = bearer("pina_other") | {"content-encoding": "gzip"}
    reply = start().post("/v5/ad_accounts/1/events", content=b"no json", headers=headers)
    assert (reply.status_code, reply.json()) == (401, {"code": 2, "message": "Authentication failed."})
    assert reply.headers["x-pinterest-rid"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Basic pina_sandbox", "pina_sandbox"])
def test_a_token_counts_as_bearer_only(start, authorization):
    reply = start().post(f"/v5/ad_accounts/{ACCOUNT}/events", headers={"authorization": authorization})
    assert reply.status_code == 401


def test_another_ad_account_is_forbidden_before_the_body_is_judged(start):
    reply = start().post("/v5/ad_accounts/1/events", content=b"no json")
    assert (reply.status_code, reply.json()) == (
        403,
        {"code": 29, "message": "You are not permitted to access that resource."},
    )


def test_each_token_has_its_own_ad_accounts(start):
    client = start(tokens={"pina_sandbox": frozenset({"1"}), "pina_b": frozenset({"2", "3"})})
    for token, codes in (("pina_sandbox", [200, 403, 403]), ("pina_b", [403, 200, 200])):
        assert [send(client, event(), account=account, token=token).status_code for account in "123"] == codes


def test_calls_beyond_the_limit_wait_for_the_window(start, clock):
    client = start(rate_limit_per_minute=2)
    clock.at = NOW + 0.5
    assert send(client, event("a")).status_code == 200
    clock.at = NOW + 30
    assert send(client, event("b")).status_code == 200
    reply = client.post(f"/v5/ad_accounts/{ACCOUNT}/events", content=b"no json")
    assert (reply.status_code, reply.json()["code"], reply.headers["retry-after"]) == (429, 8, "31")
    clock.at = NOW + 60.5
    assert send(client, event("c")).status_code == 200
    assert send(client, event("d")).status_code == 429
    assert stats(client)["by_status"] == {"200": 3, "429": 2}


def test_each_ad_account_has_a_limit_of_its_own(start):
    client = start(rate_limit_per_minute=1, tokens={"pina_sandbox": frozenset({"1", "2"})})
    assert [send(client, event(), account=account).status_code for account in "1122"] == [200, 429, 200, 429]


def test_no_limit_when_it_is_zero(start):
    client = start(rate_limit_per_minute=0, test_rate_limit_per_second=0)
    assert {send(client, event()).status_code for _ in range(12)} == {200}
    assert {send(client, event(), test="true").status_code for _ in range(12)} == {200}


def test_a_test_call_gets_the_same_reply_and_leaves_no_trace(start):
    client = start()
    bad = event("b", event_time=NOW - 8 * DAY)
    assert send(client, event("a"), bad, test="true").json() == send(client, event("a"), bad).json()
    client.post("/_sandbox/reset")
    assert send(client, event("a"), test="true").status_code == 200
    assert send(client, event("a"), test="false").status_code == 200
    seen = stats(client)
    assert (seen["requests"], seen["test_requests"], seen["received"], seen["unique_events"]) == (1, 1, 1, 1)


def test_test_calls_are_limited_to_ten_in_a_second(start, clock):
    client = start(rate_limit_per_minute=1)
    assert [send(client, event(), test="true").status_code for _ in range(11)] == [200] * 10 + [429]
    assert send(client, event()).status_code == 200
    clock.at += 1
    assert send(client, event(), test="true").status_code == 200


def test_the_test_parameter_is_a_boolean(start):
    reply = send(start(), event(), test="yes")
    assert (reply.status_code, reply.json()["code"]) == (400, 4196)


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_no_content_encoding_is_taken(start, encoding):
    client = start()
    body = json.dumps({"data": [event()]})
    reply = client.post(f"/v5/ad_accounts/{ACCOUNT}/events", content=body, headers={"content-encoding": encoding})
    assert reply.status_code == 415
    assert stats(client)["received"] == 0


def test_one_member_that_is_not_in_the_schema_refuses_the_batch(start):
    client = start()
    reply = send(client, event("a"), event("b", custom_data={"category_name": "shirts"}))
    assert (reply.status_code, reply.json()["code"]) == (400, 4196)
    words = "Invalid request: Additional properties are not allowed ('category_name' was unexpected)"
    assert reply.json()["message"] == f"{words} at data[1].custom_data"
    assert stats(client)["received"] == 0


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_holds_1_to_1000_events(start, count):
    client = start()
    assert send(client, *(event(str(number)) for number in range(count))).status_code == 400
    assert send(client, *(event(str(number)) for number in range(1000))).json()["num_events_processed"] == 1000


@pytest.mark.parametrize(
    ("event_time", "words"),
    [
        (NOW - 7 * DAY, ""),
        (NOW - 7 * DAY - 1, PAST),
        (NOW + 300, ""),
        (NOW + 301, FUTURE),
        (NOW * 1000, FUTURE),
        (-1, PAST),
    ],
)
def test_event_time_lies_between_seven_days_ago_and_five_minutes_ahead(start, event_time, words):
    reply = send(start(), event(event_time=event_time))
    if not words:
        assert reply.status_code == 200
        return
    details = reply.json()["details"]
    assert reply.status_code == 422
    assert details == {
        "num_events_received": 1,
        "num_events_processed": 0,
        "events": [{"status": "failed", "error_message": words, "warning_message": ""}],
    }


def test_a_mixed_batch_is_answered_422_with_each_event_in_its_place(start):
    reply = send(start(), event("a"), event("b", event_time=1), event("c"))
    body = reply.json()
    assert (reply.status_code, body["code"]) == (422, 953)
    assert body["message"]
    assert [item["status"] for item in body["details"]["events"]] == ["processed", "failed", "processed"]
    assert (body["details"]["num_events_received"], body["details"]["num_events_processed"]) == (3, 2)


def test_a_mixed_batch_can_be_answered_200(start):
    client = start(partial_status=200)
    reply = send(client, event("a"), event("b", event_time=1))
    assert (reply.status_code, reply.json()["num_events_processed"]) == (200, 1)
    assert send(client, event("b", event_time=1)).status_code == 422


# Source: API description 5.23.0, ConversionEventsUserDataProperties: the members that hold SHA-256 digests.
HASHED = ["em", "hashed_maids", "ph", "ge", "db", "fn", "ln", "ct", "st", "zp", "country", "external_id"]
NO_DIGESTS = ["jane@example.com", DIGEST.upper(), DIGEST[:-1], DIGEST + "0", "", f"{DIGEST[:-1]}\n", DIGEST[:-1] + "٣"]


def test_a_value_that_is_no_digest_fails_its_event(start):
    cases = [(name, value) for name in HASHED for value in NO_DIGESTS]
    reply = send(start(), *(event(user_data={"em": [DIGEST]} | {name: [DIGEST, value]}) for name, value in cases))
    items = reply.json()["details"]["events"]
    assert {item["status"] for item in items} == {"failed"}
    assert [item["error_message"].partition(":")[0] for item in items] == [
        f"Invalid user_data.{name}" for name, _ in cases
    ]
    assert not any(value in reply.text for value in NO_DIGESTS if value)


def test_digests_are_judged_one_by_one(start):
    halves = [DIGEST[:60], DIGEST + DIGEST[60:]]
    assert send(start(), event(user_data={"em": halves})).status_code == 422


def test_a_name_or_source_that_is_not_standard_is_warned_about(start):
    reply = send(start(), event("a", event_name="purchase"), event("b", action_source="physical_store"), event("c"))
    assert reply.status_code == 200
    assert [bool(item["warning_message"]) for item in reply.json()["events"]] == [True, True, False]
    assert {item["status"] for item in reply.json()["events"]} == {"processed"}


# Source: the list of event names in Pinterest API description 5.28.0.
NAMES = (
    "add_payment_info add_to_cart add_to_wishlist app_install app_open checkout contact custom customize_product "
    "find_location initiate_checkout lead page_visit schedule search signup start_trial submit_application subscribe "
    "view_category view_content watch_video"
)


def test_the_standard_names_are_taken_without_a_word(start):
    names = NAMES.split()
    assert len(names) == 22
    reply = send(start(), *(event(name, event_name=name) for name in names))
    assert reply.json()["events"] == [PROCESSED] * 22


def test_advertiser_tracking_is_taken_only_when_told_so(start):
    tracked = event(advertiser_tracking_enabled=True)
    assert send(start(), tracked).status_code == 400
    tolerant = start(accept_advertiser_tracking=True)
    assert send(tolerant, tracked).status_code == 200
    assert send(tolerant, event(advertiser_tracking_enabled="yes")).status_code == 400
    assert send(tolerant, event(other=True)).status_code == 400


def test_a_repeated_event_is_processed_again_and_counted_once(start):
    client = start(tokens={"pina_sandbox": frozenset({"1", "2"})})
    for account in "112":
        assert send(client, event("a"), event("a", event_name="lead"), account=account).status_code == 200
    send(client, event("b"), event("b"), event("c", event_time=1), account="1")
    seen = stats(client)
    assert seen["by_event_name"] == {"checkout": 3, "lead": 2}
    assert (seen["received"], seen["unique_events"], seen["duplicates"], seen["failed"]) == (9, 5, 3, 1)


def test_a_failed_event_counts_as_new_when_it_comes_right(start):
    client = start()
    send(client, event("a", event_time=1))
    send(client, event("a"))
    seen = stats(client)
    assert (seen["unique_events"], seen["duplicates"], seen["failed"]) == (1, 0, 1)


def test_an_endless_body_is_cut_off(start):
    client = start()
    body = b" " * (16 * 1024 * 1024 + 1)
    assert client.post(f"/v5/ad_accounts/{ACCOUNT}/events", content=body).status_code == 413


def test_other_ways_and_places_are_answered_as_errors(start):
    client = start()
    assert client.get(f"/v5/ad_accounts/{ACCOUNT}/events").status_code == 405
    reply = client.get("/v5/nothing")
    assert (reply.status_code, set(reply.json())) == (404, {"code", "message"})
    assert reply.headers["x-pinterest-rid"]

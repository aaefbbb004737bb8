"""Collecting over a real socket: paths, write keys, answers, and what browsers need."""

import json
import socket
from contextlib import closing

import httpx2
import pytest
from exchange import BATCH, EVENT, KEY, LONG, SUCCESS, code, head, read_answer
from structlog.testing import capture_logs

from pinyon.domain.errors import Unavailable

POSTHOG = {"batch": [{"event": "Order Completed", "uuid": "0190-a", "distinct_id": "u-1"}]}

# Paths

SINGLE = {"track": "t", "page": "p", "screen": "s", "identify": "i", "group": "g", "alias": "a"}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("kind", SINGLE)
def test_single_event_paths(server, http, kind, slash):
    event = {name: value for name, value in EVENT.items() if name != "type"} | {"groupId": "g", "previousId": "p"}
    for path in (kind, SINGLE[kind]):
        response = http.post(f"/v1/{path}{slash}", json=event)
        assert (response.status_code, response.content) == (200, SUCCESS)
    assert [(event.type, event.message_id) for event in server.events()] == [(kind, "m-1")] * 2


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"])
def test_batch_paths(server, http, path, slash):
    response = http.post(path + slash, json=BATCH)
    assert (response.status_code, response.content) == (200, SUCCESS)
    assert response.headers["content-type"] == "application/json"
    assert [event.message_id for event in server.events()] == ["m-1", "m-2"]
    assert server.submissions()[0].dialect == "segment"


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["/batch", "/i/v0/ai/batch"])
def test_posthog_paths(server, path, slash):
    response = httpx2.post(server.url + path + slash, json=POSTHOG | {"api_key": "wk_shop"})
    assert (response.status_code, response.content) == (200, b'{"status": 1}')
    assert [event.message_id for event in server.events()] == ["0190-a"]
    assert server.submissions()[0].dialect == "posthog"


def test_posthogs_second_form_is_answered_for_each_event(server):
    members = [*POSTHOG["batch"], {"event": "e", "uuid": "0190-b"}, {"event": "e", "distinct_id": "u"}, 7]
    headers = {"Authorization": "Bearer wk_shop", "PostHog-Request-Timestamp": "2026-11-23T02:30:00.300+00:00"}
    response = httpx2.post(f"{server.url}/i/v1/analytics/events", json={"batch": members}, headers=headers)
    results = response.json()["results"]
    assert response.status_code == 200
    assert results["0190-a"] == {"result": "ok"}
    assert results["0190-b"]["result"] == "drop"
    assert "distinct_id" in results["0190-b"]["details"]
    assert len(results) == 3  # the third was given an id; the fourth has none to answer for
    assert server.submissions()[0].sent_at == 1795401000.3
    assert [rejection.code for rejection in server.rejections()] == ["ids_missing", "not_an_object"]


def test_posthogs_second_form_is_no_error_when_all_events_are_bad(server):
    headers = {"Authorization": "Bearer wk_shop"}
    body = {"batch": [{"event": "e", "uuid": "0190-b"}]}
    response = httpx2.post(f"{server.url}/i/v1/analytics/events", json=body, headers=headers)
    assert response.status_code == 200
    assert response.json()["results"]["0190-b"]["result"] == "drop"


@pytest.mark.parametrize("path", ["/v1/m", "/rsaMetrics"])
def test_the_clients_own_metrics_are_taken_and_forgotten(server, path):
    response = httpx2.post(server.url + path, content=b"anything")
    assert (response.status_code, response.content) == (200, SUCCESS)
    assert server.events() == []


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/tracks", "/v1/pixel/x", "/v1/projects//settings/x", "/batches"])
def test_other_paths_are_not_found(http, path):
    assert code(http.post(path, json=BATCH)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/batch", "POST, OPTIONS"),
        ("PUT", "/v1/track", "POST, OPTIONS"),
        ("DELETE", "/batch/", "POST, OPTIONS"),
        ("POST", "/v1/pixel/track", "GET, OPTIONS"),
        ("POST", "/sourceConfig/", "GET, OPTIONS"),
        ("POST", "/health", "GET, HEAD"),
    ],
)
def test_other_methods_are_not_allowed(http, method, path, allowed):
    response = http.request(method, path)
    assert code(response) == (405, "method_not_allowed")
    assert response.headers["allow"] == allowed


# Write keys


@pytest.mark.parametrize(
    ("path", "headers", "members"),
    [
        ("/v1/batch", {"Authorization": f"Basic {KEY}"}, {}),
        ("/v1/batch", {"Authorization": f"basic {KEY}"}, {}),
        ("/v1/batch", {"Authorization": "Bearer wk_shop"}, {}),
        ("/v1/batch", {}, {"writeKey": "wk_shop"}),
        ("/v1/batch", {}, {"api_key": "wk_shop"}),
        ("/v1/batch?writeKey=wk_shop", {}, {}),
        ("/v1/track", {}, {"writeKey": "wk_shop"}),
        ("/v1/batch", {"Authorization": "Bearer an-oauth-token"}, {"writeKey": "wk_shop"}),
        ("/v1/batch?writeKey=wk_closed", {"Authorization": f"Basic {KEY}"}, {"writeKey": "wk_nobody"}),
        ("/v1/batch?%FF=%FF", {"Authorization": f"Basic {KEY}"}, {}),
    ],
)
def test_where_a_write_key_may_stand(server, path, headers, members):
    body = EVENT if path == "/v1/track" else BATCH
    assert httpx2.post(server.url + path, json=body | members, headers=headers).content == SUCCESS
    assert server.submissions()[0].source_id == "src_shop"


@pytest.mark.parametrize(
    ("headers", "members", "expected"),
    [
        ({}, {}, "write_key_missing"),
        ({"Authorization": "Basic %%%"}, {}, "write_key_missing"),
        ({"Authorization": "Basic"}, {}, "write_key_missing"),
        ({"Authorization": "Digest wk_shop"}, {}, "write_key_missing"),
        ({}, {"writeKey": ["wk_shop"]}, "write_key_missing"),
        ({"Authorization": "Bearer wk_nobody"}, {}, "invalid_write_key"),
        ({}, {"writeKey": "wk_closed"}, "source_disabled"),
    ],
)
def test_without_a_known_write_key_nothing_is_stored(server, headers, members, expected):
    response = httpx2.post(f"{server.url}/v1/batch", json=BATCH | members, headers=headers)
    assert code(response) == (401, expected)
    assert server.events() == []


# Answers


def test_a_batch_with_a_bad_member_keeps_the_others(server, http):
    response = http.post("/v1/batch", json={"batch": [EVENT, {"type": "trakc"}, 7]})
    assert (response.status_code, response.content) == (200, SUCCESS)
    assert [event.message_id for event in server.events()] == ["m-1"]
    assert [rejection.code for rejection in server.rejections()] == ["type_unknown", "not_an_object"]


def test_a_batch_of_bad_members_is_refused_and_recorded(server, http):
    assert code(http.post("/v1/batch", json={"batch": [7, 8]})) == (400, "no_valid_events")
    assert len(server.rejections()) == 2


def test_a_bad_single_event_is_refused_with_its_own_code(server, http):
    assert code(http.post("/v1/track", json={"userId": "u"})) == (400, "event_name_missing")
    assert [rejection.code for rejection in server.rejections()] == ["event_name_missing"]


def test_an_empty_batch_is_fine(http):
    assert http.post("/v1/batch", json={"batch": []}).content == SUCCESS


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/json;charset=UTF-8", None])
def test_json_is_read_whatever_the_content_type(server, http, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert http.post("/v1/batch", content=json.dumps(BATCH), headers=headers).content == SUCCESS


def test_a_connection_outlives_an_error(server):
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=LONG)) as connection:
        for body, status in ((b"{", 400), (json.dumps(BATCH).encode(), 200)):
            connection.sendall(head(Content_Length=len(body)) + body)
            assert read_answer(connection)[0] == status


def test_a_log_that_cannot_take_more_is_no_success(server, http):
    server.refuse(
        Unavailable("disk_full", "The disk is full.", "Make room.", retry_after=7),
        Unavailable("queue_full", "Too much is waiting.", "Send less.", status=429, retry_after=2),
    )
    for status, error, after in ((503, "disk_full", "7"), (429, "queue_full", "2")):
        response = http.post("/v1/batch", json=BATCH)
        assert code(response) == (status, error)
        assert response.headers["retry-after"] == after
        assert response.headers["access-control-expose-headers"] == "Retry-After"
    assert server.events() == []
    assert http.post("/v1/batch", json=BATCH).content == SUCCESS
    assert [server.answers.next() for _ in range(3)] == [(503, "disk_full"), (429, "queue_full"), (200, "ok")]


def test_an_unforeseen_error_shows_nothing_of_itself(server, http):
    server.refuse(RuntimeError("jane@example.com"))
    with capture_logs() as lines:
        response = http.post("/v1/batch?writeKey=wk_secret", json=BATCH)
    assert code(response) == (500, "internal_error")
    assert server.answers.next() == (500, "internal_error")
    assert [(line["event"], line["error"], line["path"]) for line in lines] == [
        ("request.failed", "RuntimeError", "/v1/batch")
    ]
    for secret in ("jane@example.com", "wk_secret", "127.0.0.1"):
        assert secret not in str(lines)
        assert secret not in response.text
    assert http.post("/v1/batch", json=BATCH).content == SUCCESS


# CORS


@pytest.mark.parametrize("path", ["/v1/t", "/v1/batch/", "/batch/", "/sourceConfig/", "/v1/projects/x/settings"])
def test_a_preflight_is_allowed_what_browser_clients_ask_for(server, path):
    asked = "anonymousid, authorization, content-type, sentat, x-retry-count, rsa-retry-attempt, rsa-recovered"
    response = httpx2.options(
        server.url + path,
        headers={"Origin": "https://shop.example.com", "Access-Control-Request-Headers": asked},
    )
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "*"
    assert set(asked.split(", ")) <= set(response.headers["access-control-allow-headers"].split(", "))
    assert {"GET", "POST"} <= set(response.headers["access-control-allow-methods"].split(", "))
    assert int(response.headers["access-control-max-age"]) > 0


@pytest.mark.parametrize(("body", "status"), [(json.dumps(BATCH).encode(), 200), (b"{", 400)])
def test_every_answer_may_be_read_across_origins(http, body, status):
    response = http.post("/v1/batch", content=body)
    assert response.status_code == status
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["access-control-expose-headers"] == "Retry-After"


# What browser clients ask for before they start


def test_segments_settings(server):
    response = httpx2.get(f"{server.url}/v1/projects/wk_shop/settings")
    integration = response.json()["integrations"]["Segment.io"]
    assert integration["apiKey"] == "wk_shop"
    assert integration["apiHost"] == f"127.0.0.1:{server.port}/v1"
    assert integration["protocol"] == "http"
    assert response.json()["metrics"] == {"sampleRate": 0}
    assert code(httpx2.get(f"{server.url}/v1/projects/wk_nobody/settings")) == (401, "invalid_write_key")


def test_settings_name_the_scheme_that_the_proxy_was_asked_by(collecting):
    for trusted, scheme in (((), "http"), (("127.0.0.0/8",), "https")):
        server = collecting(trusted_proxies=trusted)
        headers = {"X-Forwarded-Proto": "https"}
        response = httpx2.get(f"{server.url}/v1/projects/wk_shop/settings", headers=headers)
        assert response.json()["integrations"]["Segment.io"]["protocol"] == scheme


def test_rudders_configuration(server, http):
    by_query = httpx2.get(f"{server.url}/sourceConfig/?p=npm&v=3.34.1&build=modern&writeKey=wk_shop")
    for response in (by_query, http.get("/sourceConfig")):
        source = response.json()["source"]
        assert (source["id"], source["writeKey"], source["enabled"]) == ("src_shop", "wk_shop", True)
        assert source["destinations"] == []
        assert source["config"]["statsCollection"]["metrics"] == {"enabled": False}
    assert code(httpx2.get(f"{server.url}/sourceConfig/")) == (401, "write_key_missing")

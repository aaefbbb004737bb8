"""A server as its users run it, from the configuration file to the trace of one order."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import httpx2
import pytest
from servers import AD_ACCOUNT, TOKEN, WRITE_KEY, Pinyon, running, sandbox, stats, until

SECRETS = ("jane.roe@example.com", "+44 20 7946 0958", "203.0.113.77", "dj0yJnU9-click", TOKEN)


def order(number: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"m-{number}",
        "userId": "user-7",
        "context": {
            "ip": SECRETS[2],
            "userAgent": "Mozilla/5.0",
            "page": {"url": f"https://shop.example/done?epik={SECRETS[3]}&email={SECRETS[0]}"},
            "traits": {"email": SECRETS[0], "phone": SECRETS[1]},
        },
        "properties": {"order_id": f"o-{number}", "total": 19.98, "currency": "EUR"},
        **more,
    }


def post(pinyon: Pinyon, path: str, body: Any, key: str = WRITE_KEY) -> httpx2.Response:
    return httpx2.post(f"{pinyon.url}{path}", json=body, auth=(key, ""), trust_env=False)


def state_of(pinyon: Pinyon, id_: str) -> str:
    _, answer = pinyon.command("explain", id_)
    return answer["events"][-1]["destinations"][0]["state"]


@pytest.mark.slow
def test_an_order_from_the_door_to_its_trace(tmp_path: Path) -> None:
    with sandbox(tmp_path) as url, running(Pinyon(tmp_path, url)) as pinyon:
        body = {"batch": [order(1), order(1), {"type": "track", "messageId": "bad-1", "userId": "u"}, order(2)]}
        answer = post(pinyon, "/v1/batch", body)
        assert (answer.status_code, answer.json()) == (200, {"success": True})

        books = pinyon.drained()
        assert (books["delivered"], books["duplicates"], books["invalid"], books["difference"]) == (2, 1, 1, 0)
        assert books["delivered_by_name"] == {"checkout": 2}

        code, by_message = pinyon.command("explain", "m-1")
        assert code == 0
        states = [event["destinations"][0]["state"] for event in by_message["events"]]
        assert states == ["delivered", "duplicate"]
        names = [stage["name"] for stage in by_message["events"][0]["destinations"][0]["stages"]]
        expected = ["deduplication", "time", "mapping", "consent", "identity", "payload", "attempt", "state"]
        assert [name for name in names if name != "warning"] == expected

        _, by_order = pinyon.command("explain", "o-2")
        assert [event["message_id"] for event in by_order["events"]] == ["m-2"]
        _, refused = pinyon.command("explain", "bad-1")
        assert refused["events"][0]["stages"][0]["facts"]["code"] == "event_name_missing"
        code, nothing = pinyon.command("explain", "never-sent")
        assert (code, nothing["events"]) == (1, [])

        shown = json.dumps([by_message, by_order, refused]) + pinyon.log.read_text()
        assert not [secret for secret in SECRETS if secret in shown], "a person's data or a token was shown"


@pytest.mark.slow
def test_duplicates_are_known_after_a_restart_and_after_a_kill(tmp_path: Path) -> None:
    with sandbox(tmp_path) as url:
        pinyon = Pinyon(tmp_path, url)
        pinyon.start()
        post(pinyon, "/v1/batch", {"batch": [order(number) for number in range(100)]})
        pinyon.drained()
        assert pinyon.stop() == 0
        pinyon.start()
        post(pinyon, "/v1/batch", {"batch": [order(number) for number in range(50, 150)]})
        assert pinyon.drained()["duplicates"] == 50
        pinyon.kill()
        with running(pinyon):
            post(pinyon, "/v1/batch", {"batch": [order(number) for number in range(150)]})
            books = pinyon.drained()
        assert (books["delivered"], books["duplicates"], books["difference"]) == (150, 200, 0)
        assert (stats(url)["unique_events"], stats(url)["duplicates"]) == (150, 0)


@pytest.mark.slow
def test_a_revoked_token_pauses_the_lane_and_a_working_one_resumes_it(tmp_path: Path) -> None:
    with sandbox(tmp_path) as url, running(Pinyon(tmp_path, url, PINYON_RETRY_CAP="500ms")) as pinyon:
        httpx2.delete(f"{url}/_sandbox/tokens/{TOKEN}", trust_env=False).raise_for_status()
        post(pinyon, "/v1/track", order(1))

        def paused() -> bool:
            _, answer = pinyon.command("explain", "m-1")
            return "paused" in json.dumps(answer)

        until(paused)
        code, findings = pinyon.command("doctor")
        assert code == 1
        assert any("token_refused" in finding["what"] for finding in findings["findings"])
        assert state_of(pinyon, "m-1") == "waiting"

        grant = {"token": TOKEN, "ad_accounts": [AD_ACCOUNT]}
        httpx2.post(f"{url}/_sandbox/tokens", json=grant, trust_env=False).raise_for_status()
        books = pinyon.drained()
        assert (books["delivered"], books["difference"]) == (1, 0)
        assert pinyon.command("doctor")[0] == 0


@pytest.mark.slow
def test_smoke_metrics_and_health(tmp_path: Path) -> None:
    with sandbox(tmp_path) as url, running(Pinyon(tmp_path, url)) as pinyon:
        code, smoke = pinyon.command("smoke", "--url", pinyon.url)
        assert (code, smoke["delivered"]) == (0, True)
        metrics = httpx2.get(f"{pinyon.url}/metrics", trust_env=False).text
        for line in (
            'pinyon_events{cause="",destination="pinterest",state="delivered",workspace="acme"} 1.0',
            'pinyon_lane_lag_events{destination="pinterest",workspace="acme"} 0.0',
            'pinyon_ingest_requests_total{code="ok",status="200"} 1.0',
            "pinyon_log_fsync_seconds_count 1.0",
        ):
            assert line in metrics
        assert "pinyon_attempt_seconds_count{" in metrics, "the delivering process's figures are missing"
        assert httpx2.get(f"{pinyon.url}/ready", trust_env=False).status_code == 200
        assert httpx2.get(f"{pinyon.url}/health", trust_env=False).status_code == 200


@pytest.mark.slow
def test_one_process_does_the_same(tmp_path: Path) -> None:
    with sandbox(tmp_path) as url, running(Pinyon(tmp_path, url, PINYON_PROCESSES="one")) as pinyon:
        post(pinyon, "/v1/batch", {"batch": [order(number) for number in range(10)]})
        assert pinyon.drained()["delivered"] == 10


@pytest.mark.slow
def test_what_stops_a_start_says_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        pinyon = Pinyon(tmp_path, "http://127.0.0.1:9")
        port = str(taken.getsockname()[1])
        code, words = pinyon.command("serve", "--config", str(pinyon.configuration), "--port", port)
    assert code == 3
    assert "Choose another --port" in words
    pinyon.configuration.write_text("workspaces:\n  - nane: acme\n")
    code, words = pinyon.command("serve", "--config", str(pinyon.configuration))
    assert code == 2
    assert f'{pinyon.configuration}:2: workspaces[0].nane is not known here. Did you mean "name"?' in words

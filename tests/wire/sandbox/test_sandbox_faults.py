"""Faults on purpose. The figures of a run follow from its seed, so they are the same in every run."""

import httpx2
import pytest
from sandbox_calls import event, send, stats

from pinyon.sandbox import FaultSpecError, SandboxConfig, parse_faults

REFUSED = {"status": "failed", "error_message": "Sandbox fault: event refused", "warning_message": ""}


def test_a_specification_names_rates_and_amounts():
    faults = parse_faults(" 429=0.05, 503=.02,timeout=0.01,partial=0.03,refuse=1,latency_ms=50,timeout_s=2.5,seed=7 ")
    assert faults.requests == {"429": 0.05, "503": 0.02, "timeout": 0.01}
    assert (faults.partial, faults.refuse, faults.latency_ms, faults.timeout_s, faults.seed) == (0.03, 1, 50, 2.5, 7)
    assert faults.spec == "429=0.05,503=0.02,timeout=0.01,partial=0.03,refuse=1,latency_ms=50,timeout_s=2.5,seed=7"


def test_no_specification_is_no_faults():
    faults = parse_faults("", seed=3)
    assert (faults.of_request(0), faults.fails("a"), faults.refuses("a"), faults.timeout_s, faults.seed) == (
        None,
        False,
        False,
        60,
        3,
    )


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("429=0.1,bogus=1", "fault 'bogus=1' is not known; allowed are 401=, 429=, 500=, 503=, timeout=, partial="),
        ("429", "fault '429' is not known"),
        ("429=2", "fault '429=2': 429 takes a number from 0 to 1"),
        ("partial=-0.1", "fault 'partial=-0.1': partial takes a number from 0 to 1"),
        ("503=often", "fault '503=often': 503 takes a number from 0 to 1"),
        ("refuse=nan", "fault 'refuse=nan': refuse takes a number from 0 to 1"),
        ("latency_ms=inf", "fault 'latency_ms=inf': latency_ms takes 0 or more"),
        ("seed=1.5", "fault 'seed=1.5': seed takes a whole number, 0 or more"),
        ("429=0.1,429=0.2", "fault '429' is given twice"),
        ("429=0.6,503=0.6", "the rates of 429, 503 add up to more than 1"),
    ],
)
def test_a_wrong_specification_is_told_by_its_part(spec, words):
    with pytest.raises(FaultSpecError) as caught:
        SandboxConfig(faults=spec)
    assert str(caught.value).startswith(words)


def test_faults_come_at_their_rate():
    faults = parse_faults("429=0.05,503=0.02,timeout=0.01,partial=0.03,refuse=0.2")
    drawn = [faults.of_request(number) for number in range(100_000)]
    assert {name: round(drawn.count(name) / 100_000, 2) for name in ("429", "503", "timeout", None)} == {
        "429": 0.05,
        "503": 0.02,
        "timeout": 0.01,
        None: 0.92,
    }
    assert round(sum(faults.fails(f"e{number}") for number in range(100_000)) / 100_000, 2) == 0.03
    assert round(sum(faults.refuses(f"e{number}") for number in range(100_000)) / 100_000, 2) == 0.2


def test_failing_and_refused_events_are_drawn_apart():
    faults = parse_faults("partial=0.5,refuse=0.5")
    both = sum(faults.fails(f"e{number}") and faults.refuses(f"e{number}") for number in range(10_000))
    assert 2_300 < both < 2_700


def test_a_seed_repeats_a_run_and_another_does_not():
    runs = [[parse_faults(f"503=0.5,seed={seed}").of_request(number) for number in range(64)] for seed in (7, 7, 8)]
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.parametrize(
    ("fault", "status", "code"), [("401", 401, 2), ("429", 429, 8), ("503", 503, 4197), ("500", 500, 500)]
)
def test_a_request_fault_stands_in_for_the_answer(start, fault, status, code):
    client = start(faults=f"{fault}=1")
    reply = send(client, event())
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.headers.get("retry-after") == ("1" if fault == "429" else None)
    assert send(client, event(), test="true").status_code == 200
    seen = stats(client)
    assert (seen["by_status"], seen["received"]) == ({str(status): 1}, 0)


def test_real_refusals_come_before_faults(start):
    client = start(faults="500=1")
    assert send(client, event(), token="pina_other").status_code == 401
    assert send(client, event(), account="1").status_code == 403


def test_a_partial_fault_hits_the_same_events_every_time(start):
    client = start(faults="partial=0.5,seed=7")
    events = [event(f"e{number}") for number in range(200)]
    first, again = (send(client, *events).json()["details"]["events"] for _ in range(2))
    failed = [item for item in first if item["status"] == "failed"]
    assert first == again
    assert 50 < len(failed) < 150
    assert all(item == REFUSED for item in failed)
    assert stats(client)["unique_events"] == 200 - len(failed)
    assert send(client, *events, test="true").status_code == 200


def test_a_refused_event_sinks_each_batch_it_is_in(start):
    client = start(faults="refuse=0.1,seed=1", rate_limit_per_minute=0)
    events = [event(f"e{number}") for number in range(40)]
    codes = [send(client, one).status_code for one in events]
    assert 0 < codes.count(400) < 40
    good = [one for one, code in zip(events, codes, strict=True) if code == 200]
    bad = events[codes.index(400)]
    assert send(client, *good).status_code == 200
    reply = send(client, *good, bad)
    assert (reply.status_code, reply.json()["code"]) == (400, 4196)
    assert send(client, *good, bad, test="true").status_code == 200


def test_a_timeout_leaves_the_client_waiting_and_records_nothing(start):
    client = start(faults="timeout=1")
    hasty = httpx2.Client(base_url=client.base_url, timeout=0.2)
    with hasty, pytest.raises(httpx2.ReadTimeout):
        send(hasty, event())
    # The server learns of the parting a moment later; each question is a moment.
    seen = next(seen for seen in (stats(client) for _ in range(10_000)) if seen["requests"])
    assert (seen["by_status"], seen["received"]) == ({"timeout": 1}, 0)
    assert client.get("/_sandbox/requests").json()["items"][0]["status"] is None


def test_a_patient_client_of_a_timeout_is_answered_in_the_end(start):
    client = start(faults="timeout=1,timeout_s=0")
    assert send(client, event()).status_code == 504
    assert stats(client)["received"] == 0


def test_latency_is_added_to_each_answer(start):
    client = start(faults="latency_ms=50")
    assert send(client, event()).status_code == 200
    assert send(client, event(), test="true").status_code == 200
    test, real = client.get("/_sandbox/requests").json()["items"]
    assert test["test"]
    # What the sandbox measured itself; a timer may round by a millisecond.
    assert real["ms"] > 48

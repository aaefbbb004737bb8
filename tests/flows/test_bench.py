"""The benches compare like with like, and run. No figure is asserted."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from bench.orders import Orders
from bench.transform import NOW, ORIGIN, Contest

from pinyon.cli.demo.shop import Shop
from pinyon.flows.collect import open_batch
from pinyon.flows.collect.members import sort
from pinyon.flows.route import Ready

ROOT = Path(__file__).parents[2]


def test_both_ways_give_the_same_for_the_order() -> None:
    Contest().check(Orders(seed=7, moment=NOW).events(20))


def test_the_check_does_not_pass_what_nobody_sends() -> None:
    [(message_id, body)] = Orders(seed=7, moment=NOW).events(1)
    refused = body.replace(b'"Advertising":true', b'"Advertising":false')
    with pytest.raises(AssertionError, match="categoryPreferences"):
        Contest().check([(message_id, refused)])


def test_both_ways_give_the_same_for_all_that_a_shop_sends() -> None:
    """Pages, carts, apps, refusals of consent: so the baseline is no narrower than what it is measured against."""
    contest = Contest()
    names: Counter[str] = Counter()
    requests = [request for request in Shop(seed=7, now=NOW).requests(2_000, NOW) if b'"batch":' in request.body]
    for request in requests:
        events, _ = sort(open_batch(request.body), max_event_bytes=32_768)
        for event in events:
            judged = contest.router.judge(event, "segment", ORIGIN, ORIGIN.received_at)
            plain = contest.baseline(event.message_id, event.body)
            if isinstance(judged, Ready):
                names[judged.name] += 1
                assert plain is not None
                assert json.loads(judged.payload) == json.loads(plain)
            else:
                names[judged.cause] += 1
                assert plain is None
    assert names.keys() >= {"checkout", "page_visit", "add_to_cart", "search", "app_open", "consent", "unmapped"}


def test_the_command_prints_its_figures() -> None:
    command = [sys.executable, "-m", "bench", "transform", "--quick", "--json"]
    found = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120).stdout)
    assert found["machine"].keys() == {"python", "cores", "load"}
    assert found["transform"].keys() >= {"event_bytes", "rounds", "pinyon_us", "baseline_us", "ratio"}
    assert found["transform"]["pinyon_parts_us"].keys() == {"decode", "map", "encode"}
    assert found["transform"]["rounds"] >= 5

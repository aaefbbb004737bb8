"""The demo, as a newcomer runs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FAULTS = "429=0.05,503=0.02,timeout=0.01,partial=0.03,seed=7"
STATES = ("duplicates", "invalid", "withheld", "delivered", "dead", "waiting")


@pytest.mark.slow
@pytest.mark.parametrize("faults", ["", FAULTS], ids=["calm", "faults"])
def test_the_books_balance_and_the_sandbox_agrees(faults: str) -> None:
    events = 10_000
    arguments = ["demo", "--events", str(events), "--exit", "--json", "--faults", faults]
    done = subprocess.run([sys.executable, "-m", "pinyon", *arguments], capture_output=True, timeout=300, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 0, report
    assert report["balanced"], report["findings"]
    assert report["received"] == sum(report[state] for state in STATES) >= events
    assert report["sandbox_unique_events"] == report["delivered"] > events / 2
    assert report["waiting"] == 0
    assert report["invalid"] > 0
    assert report["duplicates"] > 0
    assert report["withheld_by_cause"]["consent"] > 0
    assert report["delivered_by_name"]["checkout"] > 0
    assert (report["dead"] > 0) == bool(faults)

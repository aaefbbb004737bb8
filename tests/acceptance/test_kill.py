"""Nothing that was acknowledged is lost, whatever is killed and whenever."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from segment.analytics.client import Client
from servers import WRITE_KEY, Pinyon, arrived, sandbox, stats, until

KILLS = 25
CLIENTS = 3


class Shopper(threading.Thread):
    """A Segment client under steady load. It retries what is not acknowledged, as its library does."""

    def __init__(self, number: int, url: str, stop: threading.Event) -> None:
        super().__init__(name=f"shopper-{number}")
        self.sent: list[str] = []
        self.given_up: list[str] = []
        self._number = number
        self._stopped = stop
        self._client = Client(
            WRITE_KEY, host=url, on_error=self._on_error, max_queue_size=2_000, upload_interval=0.05, max_retries=1_000
        )
        self._client.log.disabled = True  # it logs an error for each refused connection

    def run(self) -> None:
        pace = threading.Event()
        while not self._stopped.is_set():
            for _ in range(20):
                message_id = f"m-{self._number}-{len(self.sent)}"
                queued, _ = self._client.track(
                    "user-1",
                    "Order Completed",
                    {"order_id": f"o-{message_id}", "total": 12.5, "currency": "EUR"},
                    context={"traits": {"email": "jane@example.com"}},
                    message_id=message_id,
                )
                if queued:
                    self.sent.append(message_id)
            pace.wait(0.02)
        self._client.flush()
        self._client.join()

    def _on_error(self, _error: Exception, batch: list[dict[str, Any]]) -> None:
        self.given_up += [event["messageId"] for event in batch]


@pytest.mark.slow
def test_every_acknowledged_event_survives_25_kills(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    moments = random.Random(7)
    pause, stop = threading.Event(), threading.Event()
    with sandbox(tmp_path, "429=0.03,503=0.03,timeout=0.01,seed=7") as url:
        pinyon = Pinyon(tmp_path, url, PINYON_SEND_TIMEOUT="1s", PINYON_RETRY_CAP="2s")
        pinyon.start()
        shoppers = [Shopper(number, pinyon.url, stop) for number in range(CLIENTS)]
        for shopper in shoppers:
            shopper.start()
        for kill in range(KILLS):
            if kill % 2:  # every other time the delivering process is known to be at work
                before = stats(url)["received"]
                until(lambda before=before: stats(url)["received"] > before, every=0.01)
            pause.wait(moments.uniform(0.0, 1.0))  # a random moment is the point
            if kill % 5 == 4:
                pinyon.kill_deliverer()
            else:
                pinyon.kill(deliverer_too=kill % 5 != 3)
                pinyon.start()
        stop.set()
        for shopper in shoppers:
            shopper.join(timeout=300)
            assert not shopper.is_alive()
        books = pinyon.drained()
        pinyon.stop()
        there = arrived(url)
        counted = stats(url)

    acknowledged = {id_ for shopper in shoppers for id_ in shopper.sent} - {
        id_ for shopper in shoppers for id_ in shopper.given_up
    }
    lost = acknowledged - there
    record_property(
        "counted",
        f"{KILLS} kills, {len(acknowledged):,} acknowledged, {len(there):,} at the sandbox, {len(lost)} lost; "
        f"received {books['received']:,}, duplicates {books['duplicates']:,}, resent {counted['duplicates']:,}",
    )
    assert len(acknowledged) > 1_000
    assert books["difference"] == 0
    assert sum(books["dead"].values()) == 0, "the sandbox refuses none of these: each must have been delivered"
    assert lost == set()


@pytest.mark.slow
def test_a_clean_stop_loses_nothing_and_the_next_start_goes_on(tmp_path: Path) -> None:
    stop = threading.Event()
    with sandbox(tmp_path) as url:
        pinyon = Pinyon(tmp_path, url)
        pinyon.start()
        shopper = Shopper(1, pinyon.url, stop)
        shopper.start()
        until(lambda: stats(url)["received"] > 200)
        assert pinyon.stop() == 0
        pinyon.start()
        stop.set()
        shopper.join(timeout=300)
        books = pinyon.drained()
        pinyon.stop()
        assert books["difference"] == 0
        assert set(shopper.sent) - set(shopper.given_up) <= arrived(url)

"""What the transform costs: bytes of an order in, Pinterest's JSON out, on one core, beside the baseline.

Both do the same for the same events: decode, trigger, consent, time, five kinds of identifiers normalised and hashed,
encode. Rounds alternate in one run; times are processor times of this process, and the medians are printed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any, Final

from bench.baseline import Baseline
from bench.orders import Orders
from pinyon.destinations.pinterest_conversions import PinterestConversionsType
from pinyon.domain import consent, mapping
from pinyon.domain.chunk import ReceivedEvent
from pinyon.domain.consent import ConsentPolicy
from pinyon.domain.mapping import Origin
from pinyon.domain.registry import Destination, Source
from pinyon.flows.route import Ready, Router, Stopped, read

NOW: Final = 1_790_000_000.0
CATEGORIES: Final = ("Advertising",)
SOURCE: Final = Source("src_bench", "ws_bench", "shop", "web", ("wk_bench",), "denied", "EUR")
DESTINATION: Final = Destination(
    id="dst_bench",
    workspace_id="ws_bench",
    name="pinterest",
    type="pinterest_conversions",
    source_ids=("src_bench",),
    settings={"ad_account_id": "549755885175"},
    secrets={"conversion_token": "pina_bench"},
    consent_categories=CATEGORIES,
)
#: Received a quarter of a second after it was sent, so that the clocks agree.
ORIGIN: Final = Origin(SOURCE, received_at=NOW + 0.55, sent_at=None, ip=None, user_agent=None)

Event = tuple[str, bytes]  # message id, body


class Contest:
    """The two ways, set up alike."""

    def __init__(self) -> None:
        kind = PinterestConversionsType()
        connection = kind.connect(DESTINATION.settings, DESTINATION.secrets, "http://127.0.0.1")
        self.router = Router(DESTINATION, kind, connection, [SOURCE])
        self._baseline = Baseline(kind.presets[0].rules, CATEGORIES, granted_by_default=False)

    def pinyon(self, message_id: str, body: bytes) -> Ready | Stopped:
        """Type and message id are handed over as the log does, which has them from the envelope."""
        return self.router.judge(ReceivedEvent("track", message_id, body), "segment", ORIGIN, ORIGIN.received_at)

    def baseline(self, message_id: str, body: bytes) -> bytes | None:
        del message_id  # it is in the body
        return self._baseline.transform(body, ORIGIN.received_at, ORIGIN.sent_at, ORIGIN.received_at)

    def check(self, events: list[Event]) -> None:
        """Raises ``AssertionError`` unless both ways give equal payloads, with all five kinds of identifiers."""
        for event in events:
            ready, plain = self.pinyon(*event), self.baseline(*event)
            assert isinstance(ready, Ready), ready
            assert plain is not None
            payload = json.loads(ready.payload)
            assert payload == json.loads(plain), (payload, json.loads(plain))
            assert payload["user_data"].keys() >= {"em", "ph", "fn", "ln", "external_id"}

    def stages(self, events: list[Event]) -> dict[str, float]:
        """Processor seconds of the parts of Pinyon's way, each over all events before the next."""
        policy = ConsentPolicy(("advertising",), SOURCE.consent_default)
        connection = self.router.connection
        received = [ReceivedEvent("track", *event) for event in events]
        times = [process_time()]
        decoded = [read(event, "segment") for event in received]
        times.append(process_time())
        cleared = []
        for event, (message_id, _) in zip(decoded, events, strict=True):
            rule = self.router.rule_for(event)
            assert rule is not None
            receipt = consent.decide(event.context.consent.category_preferences, policy)
            filled = mapping.clear(
                event, message_id=message_id, name=rule.name, receipt=receipt, origin=ORIGIN, forms=connection.forms
            )
            cleared.append(filled)
        times.append(process_time())
        for one in cleared:
            connection.encode(one, ORIGIN.received_at)
        times.append(process_time())
        return {name: times[part + 1] - times[part] for part, name in enumerate(("decode", "map", "encode"))}


def run(*, quick: bool) -> dict[str, Any]:
    """Medians in microseconds an event, and the ratio of the medians."""
    contest = Contest()
    events = Orders(seed=1, moment=NOW).events(1_000)  # as many as Pinterest takes in one request
    contest.check(events)
    rounds, passes = (5, 1) if quick else (9, 15)
    pinyon: list[float] = []
    baseline: list[float] = []
    parts: dict[str, list[float]] = {}
    for _ in range(rounds):
        pinyon.append(_microseconds(contest.pinyon, events, passes))
        baseline.append(_microseconds(contest.baseline, events, passes))
        for name, seconds in contest.stages(events).items():
            parts.setdefault(name, []).append(seconds * 1e6 / len(events))
    return {
        "event_bytes": len(events[0][1]),
        "rounds": rounds,
        "pinyon_us": median(pinyon),
        "baseline_us": median(baseline),
        "ratio": median(baseline) / median(pinyon),
        "ratio_of_each_round": [plain / own for plain, own in zip(baseline, pinyon, strict=True)],
        "pinyon_parts_us": {name: median(values) for name, values in parts.items()},
    }


def _microseconds(way: Callable[[str, bytes], Any], events: list[Event], passes: int) -> float:
    begun = process_time()
    for _ in range(passes):
        for message_id, body in events:
            way(message_id, body)
    return (process_time() - begun) * 1e6 / (passes * len(events))


def show(found: dict[str, Any]) -> list[str]:
    each = found["ratio_of_each_round"]
    parts = ", ".join(f"{name} {value:.1f}" for name, value in found["pinyon_parts_us"].items())
    return [
        f"Transform of a {found['event_bytes']}-byte order, one core, {found['rounds']} alternating rounds, medians",
        f"  Pinyon    {found['pinyon_us']:6.1f} us an event  {1e6 / found['pinyon_us']:8,.0f} events/s   ({parts})",
        (
            f"  baseline  {found['baseline_us']:6.1f} us an event  {1e6 / found['baseline_us']:8,.0f} events/s"
            "   (stdlib json, paths interpreted)"
        ),
        f"  ratio     {found['ratio']:6.2f}x   rounds {min(each):.2f} to {max(each):.2f}   goal: at least 3, aim 4",
    ]

"""Collecting and delivering at once: ``pinyon serve`` (two processes), a load client and a sink, all on this machine.

Two parts. Backlog: the sink refuses, so events pile up in the log; memory of both processes is read at each size, then
the sink accepts and the lane drains. Sustained: the highest steady rate at which the sink gets what is offered, found
by halving, and then how long acknowledgements take at half of it.

The client and the sink share the cores with the server, as they would not in earnest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, Final, NamedTuple

from bench.load import BATCH
from bench.measure import child_of, cpu_seconds, forget_peak, memory
from bench.processes import Client, Running, ask, server, sink

CONNECTIONS: Final = 16
#: Delivered at least this part of what is offered: the rest is the noise of whole batches at both ends of a step.
KEPT_UP: Final = 0.97
#: Seconds of a step that are not counted: an event may wait half a second for its batch.
LEAD: Final = 1.5


class Plan(NamedTuple):
    warm_up: int  # events
    backlogs: tuple[int, ...]  # events
    drain_seconds: float
    step_seconds: float
    halvings: int


FULL: Final = Plan(100_000, (1_000_000, 4_000_000), drain_seconds=20.0, step_seconds=6.0, halvings=5)
QUICK: Final = Plan(10_000, (100_000, 200_000), drain_seconds=3.0, step_seconds=2.0, halvings=1)


class Moment(NamedTuple):
    """The state of a stage at one time."""

    at: float
    delivered: int  # events, by the sink's count
    cpu: dict[str, float]  # seconds of processor, by process


class Stage:
    """A server, its sink, and what can be seen of them."""

    def __init__(self, running: Running, receiver: Running) -> None:
        self.url = running.url
        self._receiver = receiver.url
        self._processes = {"collect": running.pid, "deliver": _deliverer(running.pid)}
        self._seeds = count(1)

    def client(self, **options: float) -> Client:
        """A load client whose message ids are new."""
        return Client(self.url, seed=next(self._seeds), connections=CONNECTIONS, **options)

    def answer(self, status: int) -> None:
        """What the sink is to answer from now on."""
        ask(f"{self._receiver}/status/{status}", "PUT")

    def look(self) -> Moment:
        delivered: int = ask(f"{self._receiver}/stats")["events"]
        cpu = {name: cpu_seconds(pid) for name, pid in self._processes.items()}
        return Moment(perf_counter(), delivered, cpu)

    def memory(self) -> dict[str, dict[str, float]]:
        """Resident memory by process, now and at its highest since ``forget_peaks``."""
        return {name: memory(pid) for name, pid in self._processes.items()}

    def forget_peaks(self) -> None:
        for pid in self._processes.values():
            forget_peak(pid)

    def wait_for(self, delivered: int, seconds: float) -> bool:
        """Whether the sink gets to this many events in this time."""
        until = perf_counter() + seconds
        while self.look().delivered < delivered:
            if perf_counter() > until:
                return False
            sleep(0.05)
        return True


@contextmanager
def _stage() -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="pinyon-bench-") as name:
        folder = Path(name)
        with sink(folder) as receiver, server(folder, role="all", pinterest=receiver.url) as running:
            yield Stage(running, receiver)


def _deliverer(pid: int) -> int:
    """The server's second process, once it is there."""
    until = perf_counter() + 10
    while True:
        try:
            return child_of(pid, "deliver")
        except LookupError:
            if perf_counter() > until:
                raise
            sleep(0.05)


def run(*, quick: bool) -> dict[str, Any]:
    plan = QUICK if quick else FULL
    with _stage() as stage:
        _warm_up(stage, plan)
        backlog = _backlog(stage, plan)
    with _stage() as stage:
        _warm_up(stage, plan)
        sustained = _sustained(stage, plan, ceiling=1.1 * backlog["drain"]["events_per_second"])
    return {"backlog": backlog, "sustained": sustained}


def _warm_up(stage: Stage, plan: Plan) -> None:
    """So that what is allocated at first use is not taken for the backlog's."""
    acknowledged = stage.client(events=plan.warm_up).result()["events"]
    if not stage.wait_for(int(acknowledged), seconds=60):
        raise RuntimeError(f"of {acknowledged} events the sink got {stage.look().delivered} in a minute")


def _backlog(stage: Stage, plan: Plan) -> dict[str, Any]:
    sizes: list[dict[str, Any]] = [{"events": 0, **stage.memory()}]
    stage.answer(503)
    waiting, seconds = 0, 0.0
    for size in plan.backlogs:
        stage.forget_peaks()
        found = stage.client(events=size - waiting).result()
        waiting += int(found["events"])
        seconds += found["seconds"]
        sleep(1.0)  # for the checkpoint
        sizes.append({"events": waiting, **stage.memory()})
    return {
        "sizes": sizes,
        "growth_mb": {
            name: max(row[name]["rss_mb"] for row in sizes[1:]) - sizes[0][name]["rss_mb"]
            for name in ("collect", "deliver")
        },
        "fill_events_per_second": waiting / seconds,
        "drain": _drain(stage, waiting, plan.drain_seconds),
    }


def _drain(stage: Stage, waiting: int, seconds: float) -> dict[str, Any]:
    """The rate at which a backlog goes while nothing comes in: all of it, or as far as it gets in this time."""
    stage.forget_peaks()
    start = stage.look().delivered
    stage.answer(200)
    stage.wait_for(start + 1, seconds=10)  # the lane is still backing off
    before = stage.look()
    stage.wait_for(start + waiting, seconds)
    after = stage.look()
    return {
        "events": after.delivered - before.delivered,
        "events_per_second": (after.delivered - before.delivered) / (after.at - before.at),
        "cores": _cores(before, after),
        "memory": stage.memory(),
    }


def _sustained(stage: Stage, plan: Plan, ceiling: float) -> dict[str, Any]:
    """Halves between a rate that was kept up and one that was not."""
    low, high = 0.0, ceiling
    steps: list[dict[str, Any]] = []
    best: dict[str, Any] | None = None
    for attempt in range(plan.halvings + 1):
        rate = (low + high) / 2 if attempt else 0.7 * ceiling
        step = _step(stage, rate, plan.step_seconds)
        steps.append(step)
        if step["kept_up"]:
            low, best = rate, step
        else:
            high = rate
    half = _step(stage, low / 2, plan.step_seconds) if best else None
    return {"ceiling": ceiling, "highest": best, "at_half": half, "steps": steps}


def _step(stage: Stage, rate: float, seconds: float) -> dict[str, Any]:
    start = stage.look()
    client = stage.client(rate=rate, seconds=seconds + LEAD + 0.2)
    try:
        sleep(LEAD)
        before = stage.look()
        sleep(seconds)
        after = stage.look()
        found = client.result()
    finally:
        client.stop()
    caught_up = stage.wait_for(start.delivered + int(found["events"]), seconds=30)
    offered = rate * (after.at - before.at)
    delivered = after.delivered - before.delivered
    on_time = found["events"] >= KEPT_UP * rate * (seconds + LEAD + 0.2) - BATCH
    return {
        "rate": rate,
        "delivered_of_offered": delivered / offered,
        "acknowledged_on_time": on_time,
        "refused": found["refused"],
        "kept_up": delivered >= KEPT_UP * offered and on_time and not found["refused"] and caught_up,
        "p50_ms": found["p50_ms"],
        "p99_ms": found["p99_ms"],
        "cores": _cores(before, after),
    }


def _cores(before: Moment, after: Moment) -> dict[str, float]:
    """Processor seconds a second, by process."""
    return {name: (after.cpu[name] - before.cpu[name]) / (after.at - before.at) for name in after.cpu}


def show(found: dict[str, Any]) -> list[str]:
    backlog, sustained = found["backlog"], found["sustained"]
    lines = [
        "End to end: pinyon serve in two processes, sink and client on the same cores",
        "  backlog while the sink refuses",
    ]
    for row in backlog["sizes"]:
        resident = ", ".join(
            f"{name} {row[name]['rss_mb']:.0f} MB (peak {row[name]['peak_mb']:.0f})" for name in ("collect", "deliver")
        )
        lines.append(f"  {row['events']:12,} events   {resident}")
    growth = ", ".join(f"{name} {value:+.0f} MB" for name, value in backlog["growth_mb"].items())
    drain = backlog["drain"]
    peaks = ", ".join(f"{name} {value['peak_mb']:.0f} MB" for name, value in drain["memory"].items())
    lines += [
        f"    growth: {growth}   goal: within 100",
        (
            f"    filled at {backlog['fill_events_per_second']:,.0f} events/s; {drain['events']:,} events drained at"
            f" {drain['events_per_second']:,.0f} events/s ({_show_cores(drain)}; peak {peaks})"
        ),
    ]
    for step in sustained["steps"]:
        verdict = "kept up" if step["kept_up"] else "fell behind"
        share = f"{step['delivered_of_offered']:.1%} delivered meanwhile"
        lines.append(
            f"  offered {step['rate']:8,.0f} events/s   {verdict}, {share}, {_show_ack(step)}, {_show_cores(step)}"
        )
    if sustained["highest"] is None:
        return [*lines, "  highest steady rate: none of these"]
    for name, step in (("highest steady rate", sustained["highest"]), ("at half of it", sustained["at_half"])):
        lines.append(f"  {name}: {step['rate']:,.0f} events/s   {_show_ack(step)}, {_show_cores(step)}")
    return lines


def _show_ack(step: dict[str, Any]) -> str:
    return f"ack p50 {step['p50_ms']:.1f} ms, p99 {step['p99_ms']:.1f} ms"


def _show_cores(step: dict[str, Any]) -> str:
    return "cores: " + ", ".join(f"{name} {value:.2f}" for name, value in step["cores"].items())

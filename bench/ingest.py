"""What durable ingest costs, beside a bare loop that appends to a file and calls fdatasync.

Submissions of 100 orders each. The bare loop writes as many bytes a commit as the log's commits held on average: the
events as they came, and once more as few bytes as the log made of them. Rounds alternate in one run on the same disk; a
round's ratio is taken against the bare rounds right after it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
import tempfile
from contextlib import closing
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter, time
from typing import Any, Final, NamedTuple

import uvloop

from bench import processes
from bench.measure import cpu_seconds, percentiles
from bench.orders import Orders
from pinyon.adapters.sqlite import SqliteEventLog
from pinyon.adapters.vault import Keyring
from pinyon.domain.chunk import ReceivedEvent, Submission
from pinyon.ports.telemetry import Silent

EVENTS: Final = 100  # in a submission
APPENDERS: Final = (16, 64)


class Plan(NamedTuple):
    rounds: int
    seconds: float  # of the log in a round, and of the server
    bare_seconds: float  # of each bare loop in a round


FULL: Final = Plan(rounds=5, seconds=2.0, bare_seconds=0.7)
QUICK: Final = Plan(rounds=3, seconds=0.4, bare_seconds=0.2)


class Commits(Silent):
    """Counts what the log tells of its commits."""

    def __init__(self) -> None:
        self.commits = 0
        self.events = 0
        self.sync_seconds: list[float] = []

    def committed(self, *, events: int, payload_bytes: int, seconds: float, sync_seconds: float) -> None:
        del payload_bytes, seconds
        self.commits += 1
        self.events += events
        self.sync_seconds.append(sync_seconds)


def run(*, quick: bool) -> dict[str, Any]:
    plan = QUICK if quick else FULL
    submissions = _submissions(64)
    event_bytes = len(submissions[0].events[0].body)
    with tempfile.TemporaryDirectory(prefix="pinyon-bench-") as name:
        folder = Path(name)
        found: dict[str, Any] = {
            "event_bytes": event_bytes,
            "fdatasync_8kb_us": 1e6 / bare_loop(folder, 8_192, plan.bare_seconds),
            "log": {},
        }
        for appenders in APPENDERS:
            rounds = [_log_round(folder, submissions, appenders, plan) for _ in range(plan.rounds)]
            found["log"][str(appenders)] = _medians(rounds)
        return found | {"http": _over_http(folder, event_bytes, plan)}


def _submissions(number: int) -> list[Submission]:
    orders = Orders(seed=2, moment=time())
    return [
        Submission(
            source_id="src_bench",
            received_at=time(),
            sent_at=None,
            dialect="segment",
            ip="198.51.100.7",
            user_agent="bench",
            events=[ReceivedEvent("track", message_id, body) for message_id, body in orders.events(EVENTS)],
        )
        for _ in range(number)
    ]


def _log_round(folder: Path, submissions: list[Submission], appenders: int, plan: Plan) -> dict[str, float]:
    """The log in a file of its own, then the bare loops."""
    path = folder / "log.db"
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(_append(path, submissions, appenders, plan.seconds))
    with closing(sqlite3.connect(path)) as db:
        (stored,) = db.execute("SELECT sum(length(sealed)) FROM payloads").fetchone()
    for file in folder.glob("log*"):
        file.unlink()
    events = found["events_per_commit"]
    raw = events * len(submissions[0].events[0].body)
    found["stored_bytes_per_commit"] = stored / found["commits"]
    found["compressed"] = raw / found["stored_bytes_per_commit"]
    bare = {
        "bare_raw": bare_loop(folder, int(raw), plan.bare_seconds) * events,
        "bare_stored": bare_loop(folder, int(found["stored_bytes_per_commit"]), plan.bare_seconds) * events,
    }
    for name, rate in bare.items():
        found[f"{name}_events_per_second"] = rate
        found[f"ratio_to_{name}"] = found["events_per_second"] / rate
    return found


async def _append(path: Path, submissions: list[Submission], appenders: int, seconds: float) -> dict[str, float]:
    commits = Commits()
    log = SqliteEventLog.open(path, Keyring(secrets.token_bytes(32)), telemetry=commits)
    await log.append("ws_bench", submissions[0])  # the first makes the workspace's key
    commits.commits = commits.events = 0
    latencies: list[float] = []
    tickets = count()
    begun = perf_counter()

    async def appender() -> None:
        while (asked := perf_counter()) < begun + seconds:
            await log.append("ws_bench", submissions[next(tickets) % len(submissions)])
            latencies.append(perf_counter() - asked)

    await asyncio.gather(*(appender() for _ in range(appenders)))
    took = perf_counter() - begun
    await log.close()
    return {
        "events_per_second": len(latencies) * EVENTS / took,
        **percentiles(latencies),
        "commits": commits.commits,
        "events_per_commit": commits.events / commits.commits,
        "sync_ms": median(commits.sync_seconds) * 1e3,
    }


def bare_loop(folder: Path, size: int, seconds: float) -> float:
    """Commits a second of ``size`` bytes each, appended to a new file. Needs ``os.fdatasync``, which macOS lacks."""
    block = secrets.token_bytes(size)
    path = folder / "bare"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        commits = 0
        begun = perf_counter()
        while (now := perf_counter()) < begun + seconds:
            written = os.write(file, block)
            assert written == size
            os.fdatasync(file)
            commits += 1
        return commits / (now - begun)
    finally:
        os.close(file)
        path.unlink()


def _over_http(folder: Path, event_bytes: int, plan: Plan) -> dict[str, dict[str, float]]:
    """The real server in the collecting role, a load client in another process; by the number of connections."""
    seeds = count(1)
    with processes.server(folder, role="collect") as server:
        processes.Client(server.url, seed=next(seeds), seconds=plan.seconds).result()  # warms it up
        return {
            str(connections): _medians(
                [_http_round(server, folder, connections, event_bytes, next(seeds), plan) for _ in range(plan.rounds)]
            )
            for connections in APPENDERS
        }


def _http_round(
    server: processes.Running, folder: Path, connections: int, event_bytes: int, seed: int, plan: Plan
) -> dict[str, float]:
    before, cpu = _commits(server.url), cpu_seconds(server.pid)
    client = processes.Client(server.url, seed=seed, connections=connections, seconds=plan.seconds)
    found = client.result()
    after, cpu = _commits(server.url), cpu_seconds(server.pid) - cpu
    events_per_commit = (after[0] - before[0]) / (after[1] - before[1])
    bare = bare_loop(folder, int(events_per_commit * event_bytes), plan.bare_seconds) * events_per_commit
    return {
        **found,
        "events_per_commit": events_per_commit,
        "server_cpu_us_per_event": cpu * 1e6 / found["events"],
        "bare_raw_events_per_second": bare,
        "ratio_to_bare_raw": found["events_per_second"] / bare,
    }


def _commits(url: str) -> tuple[float, float]:
    """Events committed so far, and commits."""
    lines = dict(line.rsplit(" ", 1) for line in processes.ask(f"{url}/metrics").splitlines() if line[:1] != "#")
    name = "pinyon_log_commit_events"
    return float(lines.get(f"{name}_sum", 0)), float(lines.get(f"{name}_count", 0))


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(found[name] for found in rounds) for name in rounds[0]}


def show(found: dict[str, Any]) -> list[str]:
    lines = [
        f"Durable ingest in submissions of {EVENTS} orders of {found['event_bytes']} bytes; the log syncs every commit",
        f"  this disk: {found['fdatasync_8kb_us']:.0f} us for an append of 8 KB with fdatasync",
    ]
    for appenders, row in found["log"].items():
        lines += [
            f"{_rate(f'log, {appenders} appenders', row)}, {_commit(row)}, sync {row['sync_ms']:.2f} ms",
            f"{_bare(row, 'bare_raw')}   goal: at least 0.4",
            f"{_bare(row, 'bare_stored')}   as few bytes as the log stores: {row['compressed']:.0f} times fewer",
        ]
    for connections, row in found["http"].items():
        cost = f"server {row['server_cpu_us_per_event']:.1f} us of processor an event"
        lines += [
            f"{_rate(f'HTTP, {connections} connections', row)}, {_commit(row)}, {cost}",
            f"{_bare(row, 'bare_raw')}   the client takes its share of the cores",
        ]
    return lines


def _rate(name: str, row: dict[str, float]) -> str:
    acks = f"ack p50 {row['p50_ms']:.1f} ms, p99 {row['p99_ms']:.1f} ms"
    return f"  {name:21} {row['events_per_second']:9,.0f} events/s   {acks}"


def _commit(row: dict[str, float]) -> str:
    return f"{row['events_per_commit']:.0f} events a commit"


def _bare(row: dict[str, float], name: str) -> str:
    return (
        f"    {name.replace('_', ' loop, '):19} {row[f'{name}_events_per_second']:9,.0f} events/s"
        f"   ratio {row[f'ratio_to_{name}']:.2f}x"
    )

"""Pinyon and the sandbox as their users start them: processes of their own, real sockets, a folder on the disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from pinyon.testing.oracle import check_payloads

WRITE_KEY = "wk_acceptance"
AD_ACCOUNT = "549755885175"
TOKEN = "pina_sandbox"
LONG = 120.0  # seconds after which a wait is taken to hang

CONFIGURATION = f"""\
workspaces:
  - name: acme
    sources:
      - {{name: shop, kind: web, write_key: {WRITE_KEY}, consent_default: granted, currency: EUR}}
    destinations:
      - name: pinterest
        type: pinterest_conversions
        sources: [shop]
        ad_account_id: "{AD_ACCOUNT}"
        conversion_token: env:ACCEPTANCE_TOKEN
        consent_categories: [advertising]
"""


class Pinyon:
    """A server that can be killed and started again on the same folder and port."""

    def __init__(self, folder: Path, sandbox: str, **settings: str) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.configuration = folder / "pinyon.yaml"
        self.configuration.write_text(CONFIGURATION)
        self._environment = {
            **os.environ,
            "ACCEPTANCE_TOKEN": TOKEN,
            "PINYON_PINTEREST_BASE_URL": f"{sandbox}/v5",
            "PINYON_LOG_FORMAT": "json",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self.url = ""

    def start(self) -> None:
        arguments = ["serve", "--config", str(self.configuration), "--data", str(self.data), "--port", str(self.port)]
        with self.log.open("ab") as output:
            self._process = _start([*arguments, "--json"], self._environment, output)
        self.url = _ready(self._process, self.log)
        self.port = int(self.url.rpartition(":")[2])

    def kill(self, *, deliverer_too: bool = True) -> None:
        """SIGKILL. A delivering process that is left alone must notice, and end by itself."""
        assert self._process is not None
        children = _children(self._process.pid) if deliverer_too else []
        for pid in [self._process.pid, *children]:
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        _close(self._process)

    def kill_deliverer(self) -> None:
        """SIGKILL to the delivering process alone; the server starts it again."""
        assert self._process is not None
        for pid in _children(self._process.pid):
            os.kill(pid, signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(timeout=LONG)
        _close(self._process)
        return code

    def command(self, *arguments: str) -> tuple[int, Any]:
        """Exit code and JSON of a command on this server's folder."""
        done = subprocess.run(
            [sys.executable, "-m", "pinyon", *arguments, "--data", str(self.data), "--json"],
            env=self._environment,
            capture_output=True,
            timeout=LONG,
            check=False,
        )
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else done.stderr.decode()

    def books(self) -> dict[str, Any]:
        """The account of the one destination, with ``invalid`` of its workspace."""
        code, account = self.command("account")
        workspace = account["workspaces"][0]
        assert code == (0 if account["balanced"] else 1), account
        return {**workspace["destinations"][0], "invalid": workspace["invalid"]}

    def drained(self) -> dict[str, Any]:
        """The books once nothing waits."""
        return until(lambda: (books := self.books())["waiting"] == 0 and books)


@contextmanager
def sandbox(folder: Path, faults: str = "") -> Iterator[str]:
    """A sandbox; its URL."""
    with (folder / "sandbox.log").open("ab") as output:
        process = _start(["sandbox", "--port", "0", "--faults", faults, "--json"], dict(os.environ), output)
    try:
        yield _ready(process, folder / "sandbox.log")
    finally:
        process.terminate()
        process.wait(timeout=LONG)
        _close(process)


@contextmanager
def running(pinyon: Pinyon) -> Iterator[Pinyon]:
    pinyon.start()
    try:
        yield pinyon
    finally:
        pinyon.stop()


def arrived(url: str) -> set[str]:
    """Event ids that the sandbox has, by its own record. What arrived is held to the outside contracts too."""
    found: set[str] = set()
    with httpx2.Client(base_url=url, trust_env=False, timeout=LONG) as client:
        after: Any = None
        while True:
            page = client.get("/_sandbox/events", params={"limit": 1000, **({"after": after} if after else {})}).json()
            events = [item["event"] for item in page["items"]]
            check_payloads(events[:50])
            found |= {event["event_id"] for event in events}
            after = page["next"]
            if not after:
                return found


def stats(url: str) -> dict[str, Any]:
    return httpx2.get(f"{url}/_sandbox/stats", trust_env=False).json()


def until(condition: Any, every: float = 0.1) -> Any:
    """What the condition gives once it is true. Fails when that takes too long."""
    clock = threading.Event()
    for _ in range(int(LONG / every)):
        if result := condition():
            return result
        clock.wait(every)
    raise AssertionError("it did not come to pass")


def _start(arguments: list[str], environment: dict[str, str], output: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pinyon", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=output,
        start_new_session=True,
    )


def _ready(process: subprocess.Popen[bytes], log: Path) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"did not start: {log.read_text()[-2000:]}"
    return json.loads(line)["url"]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdout is not None:
        process.stdout.close()

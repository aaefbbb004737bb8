"""The processes of a bench: the server as a user starts it, the sink, and the load client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

WRITE_KEY: Final = "wk_bench"
#: From here ``python -m bench.sink`` is found.
_ROOT: Final = Path(__file__).parents[1]
_PATIENCE: Final = 30  # seconds that a process gets to start and to end
_CONFIGURATION: Final = f"""\
workspaces:
  - name: bench
    sources:
      - {{name: shop, kind: web, write_key: {WRITE_KEY}, consent_default: denied, currency: EUR}}
    destinations:
      - name: pinterest
        type: pinterest_conversions
        sources: [shop]
        ad_account_id: "549755885175"
        conversion_token: env:BENCH_TOKEN
        preset: pinyon
        consent_categories: [advertising]
"""


class Running(NamedTuple):
    pid: int
    url: str


@contextmanager
def server(folder: Path, *, role: str, pinterest: str = "http://127.0.0.1:9") -> Iterator[Running]:
    """``pinyon serve`` on a free port; with role "all" it keeps a second process for delivering."""
    configuration = folder / "pinyon.yaml"
    configuration.write_text(_CONFIGURATION, encoding="utf-8")
    settings = {
        "BENCH_TOKEN": "pina_bench",
        "PINYON_PINTEREST_BASE_URL": pinterest,
        "PINYON_PROCESSES": "two",
        "PINYON_LOG_FORMAT": "json",
        # Else a lane that found the sink refusing would sleep for minutes, and hold up the end.
        "PINYON_RETRY_BASE": "200ms",
        "PINYON_RETRY_CAP": "1s",
        "PINYON_DRAIN_TIMEOUT": "1s",
    }
    arguments = ["pinyon", "serve", "--config", str(configuration), "--data", str(folder / "data"), "--port", "0"]
    with _running([*arguments, "--role", role, "--json"], folder / "server.log", settings) as running:
        yield running


@contextmanager
def sink(folder: Path) -> Iterator[Running]:
    with _running(["bench.sink"], folder / "sink.log", {}) as running:
        yield running


@contextmanager
def _running(arguments: list[str], log: Path, settings: dict[str, str]) -> Iterator[Running]:
    """``python -m`` these arguments until the body ends."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("PINYON_")}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=_ROOT,
            env=known | settings,
            stdout=subprocess.PIPE,
            stderr=output,
        )
    with process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{arguments[0]} did not start: {log.read_text()[-2000:]}")
            yield Running(process.pid, json.loads(line)["url"])
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


class Client:
    """A load client under way."""

    def __init__(self, url: str, **options: float) -> None:
        """Returns when it sends. ``options`` are those of ``bench.load``."""
        given = [f"--{name}={value}" for name, value in options.items()]
        arguments = ["bench.load", f"--url={url}", f"--write-key={WRITE_KEY}", *given]
        self._process = subprocess.Popen([sys.executable, "-m", *arguments], cwd=_ROOT, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._output = self._process.stdout
        self._output.readline()

    def result(self) -> dict[str, float]:
        """What it printed, when it has ended."""
        try:
            line = self._output.readline()
        finally:
            self.stop()
        if not line:
            raise RuntimeError("the load client failed; what it said stands above")
        found: dict[str, float] = json.loads(line)
        return found

    def stop(self) -> None:
        with self._process as process:
            process.terminate()


def ask(url: str, method: str = "GET") -> Any:
    """The JSON or text at a URL on this machine."""
    place = urlsplit(url)
    with closing(HTTPConnection(place.netloc, timeout=_PATIENCE)) as connection:
        connection.request(method, place.path)
        text = connection.getresponse().read().decode()
    return json.loads(text) if text.startswith("{") else text

"""The command: ``python -m bench [transform|ingest|end-to-end|all] [--quick] [--json]``. Needs Linux."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import signal
import sys
from typing import Any, Final

BENCHES: Final = {"transform": "bench.transform", "ingest": "bench.ingest", "end-to-end": "bench.end_to_end"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="What an event costs, as ratios.")
    parser.add_argument("bench", nargs="?", choices=[*BENCHES, "all"], default="all")
    parser.add_argument("--quick", action="store_true", help="short rounds: does it run, not how fast is it")
    parser.add_argument("--json", action="store_true", help="one JSON object with all figures")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes of a bench are ended
    machine = _machine()
    if not given.json:
        print(", ".join(f"{name} {value}" for name, value in machine.items()))
    found: dict[str, Any] = {"machine": machine}
    for name in BENCHES if given.bench == "all" else [given.bench]:
        bench = importlib.import_module(BENCHES[name])
        print(f"{name} ...", file=sys.stderr, flush=True)
        found[name] = bench.run(quick=given.quick)
        if not given.json:
            print("\n".join(["", *bench.show(found[name])]), flush=True)
    if given.json:
        print(json.dumps(found))


def _machine() -> dict[str, Any]:
    """What the absolute figures depend on; a load of more than a few tenths spoils them."""
    return {
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }


if __name__ == "__main__":
    main()

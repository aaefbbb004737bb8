"""Reading the clock and the processes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p99 in milliseconds; zeros for nothing."""
    ordered = sorted(seconds) or [0.0]
    return {f"p{part}_ms": ordered[min(len(ordered) - 1, len(ordered) * part // 100)] * 1e3 for part in (50, 99)}


def cpu_seconds(pid: int) -> float:
    """Processor time of all threads of a process so far, user and system. Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory(pid: int) -> dict[str, float]:
    """Resident memory now, and its peak since ``forget_peak``, in MB of 10**6 bytes. Linux."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {name: int(lines[key].split()[0]) * 1024 / 1e6 for name, key in (("rss_mb", "VmRSS"), ("peak_mb", "VmHWM"))}


def forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def child_of(pid: int, word: str) -> int:
    """The child process with this word in its command line. Raises ``LookupError`` when there is none."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if word in Path(f"/proc/{child}/cmdline").read_text().split("\0"):
            return int(child)
    raise LookupError(f"process {pid} has no child with {word!r}")

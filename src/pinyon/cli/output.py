"""How commands speak: tables for people, one JSON line for programs, and the exit codes."""

from __future__ import annotations

import contextlib
import enum
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import typer

from pinyon.domain.errors import ConfigurationInvalid, PinyonError, StoreDamaged

T = TypeVar("T")


class Exit(enum.IntEnum):
    """Documented in ``docs/reference/cli.md``."""

    DONE = 0
    NO = 1
    USAGE = 2
    UNREACHABLE = 3


AsJson = typer.Option(False, "--json", help="Print JSON for programs instead of text for people.")
DataFolder = typer.Option(
    None, "--data", help="Folder of the event log and the records.", envvar="PINYON_DATA", show_default="pinyon-data"
)


def print_json(value: Any) -> None:
    """One line."""
    import msgspec

    typer.echo(msgspec.json.encode(value).decode())


def fail(error: PinyonError) -> int:
    """Tell what went wrong and what to do; the exit code."""
    typer.echo(f"pinyon: {error.message}", err=True)
    if error.advice:
        typer.echo(f"  {error.advice}", err=True)
    return Exit.USAGE if isinstance(error, ConfigurationInvalid) else _code(error)


def _code(error: PinyonError) -> int:
    return Exit.UNREACHABLE if isinstance(error, StoreDamaged) or error.status >= 500 else Exit.NO


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Runs on uvloop where there is one."""
    import asyncio

    new_event_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with contextlib.suppress(ImportError):
        import uvloop

        new_event_loop = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(work)


def on_terminal() -> bool:
    return sys.stdout.isatty()

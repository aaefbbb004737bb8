"""``pinyon demo``."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from pinyon.cli.output import AsJson, Exit, on_terminal, print_json, run_async

if TYPE_CHECKING:
    from pinyon.app import Pinyon
    from pinyon.cli.demo.report import Report
    from pinyon.cli.demo.stage import Stage
    from pinyon.domain.books import Books

#: Seconds in which the last events must be delivered, and without progress in which the demo gives up.
STALLED_AFTER: Final = 120.0


def demo(
    events: int = typer.Option(5_000, min=1, help="How many events the shop sends."),
    exit_: bool = typer.Option(
        False, "--exit", help="End after the summary. Exit code 1 when the books do not balance."
    ),
    faults: str = typer.Option("", help="What goes wrong at the sandbox; see pinyon sandbox --help."),
    data: Path | None = typer.Option(None, "--data", help="Keep everything in this folder. Default: a temporary one."),
    seed: int = typer.Option(1, help="The same seed plays the same shop."),
    port: int = typer.Option(0, help="Port of the server; 0 takes a free one."),
    sandbox_port: int = typer.Option(0, help="Port of the sandbox; 0 takes a free one."),
    as_json: bool = AsJson,
) -> None:
    """Watch it work: a shop, a stand-in for Pinterest, and Pinyon between them.

    Starts the sandbox and the server, plays a believable shop (page views, searches, carts, orders, returning visitors,
    clicks from Pinterest, consent given and refused, duplicates, malformed events), waits until every event is in its
    final state, and compares Pinyon's books with the sandbox's own count. Then it stays up for you to look around.
    Nothing leaves this machine.
    """
    folder = tempfile.TemporaryDirectory(prefix="pinyon-demo-") if data is None else None
    place = Path(folder.name) if folder is not None else data
    assert place is not None
    place.mkdir(parents=True, exist_ok=True)
    try:
        result = run_async(_run(place, events, faults, seed, port, sandbox_port, stay=not exit_, as_json=as_json))
    except KeyboardInterrupt:
        raise typer.Exit(Exit.DONE) from None
    finally:
        if folder is not None:
            folder.cleanup()
    if not result.balanced:
        raise typer.Exit(Exit.NO)


async def _run(
    folder: Path, events: int, faults: str, seed: int, port: int, sandbox_port: int, *, stay: bool, as_json: bool
) -> Report:
    from pinyon.cli.demo.report import print_next, print_report
    from pinyon.cli.demo.stage import stage
    from pinyon.profiles.embedded import open_pinyon
    from pinyon.profiles.environment import read_settings

    async with stage(folder, faults, sandbox_port, port) as on:
        if not as_json:
            typer.echo(f"Pinyon at {on.server}, Pinterest sandbox at {on.sandbox}, data in {folder}")
        async with open_pinyon(read_settings(data=on.data)) as pinyon:
            result, example = await _play(on, pinyon, events, seed, show=not as_json and on_terminal())
        if as_json:
            print_json(result)
        else:
            print_report(result)
            if stay:
                print_next(on.server, on.sandbox, str(on.data), example)
            else:
                typer.echo("Without --exit both servers stay up, and it says where to look next.")
        if stay:
            if not as_json:
                typer.echo("\nBoth stay up. Ctrl-C ends them.")
            await asyncio.Event().wait()
    return result


async def _play(on: Stage, pinyon: Pinyon, events: int, seed: int, *, show: bool) -> tuple[Report, str | None]:
    import httpx2

    from pinyon.cli.demo.play import play
    from pinyon.cli.demo.report import report
    from pinyon.cli.demo.shop import Shop

    shop = Shop(seed=seed, now=time.time())
    before = sum(books.received for books in await pinyon.books())
    with _progress(events, show=show) as (sent, delivered):
        started = time.monotonic()
        played = await play(on.server, on.write_key, shop.requests(events, time.time()), sent)
        books = await _settle(pinyon, delivered)
        seconds = time.monotonic() - started
    async with httpx2.AsyncClient(trust_env=False) as client:
        stats: dict[str, Any] = (await client.get(f"{on.sandbox}/_sandbox/stats")).json()
        orders = (await client.get(f"{on.sandbox}/_sandbox/events?event_name=checkout&limit=1")).json()["items"]
    total = before + played.acknowledged + played.refused
    example = orders[0]["event"]["event_id"] if orders else None
    return report(books, stats, total, played.retries, seconds), example


async def _settle(pinyon: Pinyon, delivered: Callable[[int], None]) -> Books:
    """The books once nothing waits; as they are when nothing has moved for a long while."""
    waiting, since = -1, time.monotonic()
    while True:
        books = (await pinyon.books())[0]
        entry = books.destinations[0]
        delivered(entry.received - entry.waiting + books.invalid)
        if entry.waiting == 0 or time.monotonic() - since > STALLED_AFTER:
            return books
        if entry.waiting != waiting:
            waiting, since = entry.waiting, time.monotonic()
        await asyncio.sleep(0.1)


@contextmanager
def _progress(events: int, *, show: bool) -> Iterator[tuple[Callable[[int], None], Callable[[int], None]]]:
    """Two bars: members sent, and members in their final state."""
    if not show:
        yield (lambda _: None), (lambda _: None)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns) as progress:
        sending = progress.add_task("sent by the shop", total=events)
        settling = progress.add_task("in their final state", total=events)
        yield (
            lambda members: progress.advance(sending, members),
            lambda members: progress.update(settling, completed=members),
        )

"""``pinyon account``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pinyon.cli.output import AsJson, DataFolder, Exit, print_json, run_async

if TYPE_CHECKING:
    from pinyon.domain.books import Books, DestinationBooks


def account(data: Path | None = DataFolder, as_json: bool = AsJson) -> None:
    """Prove that the books balance.

    For every destination: received = delivered + duplicate + withheld + dead + waiting. The left side is the ledger of
    what was collected, the right side the records of what was delivered; neither is derived from the other. Works
    while the server runs. Exit code 1 when there is a difference.
    """
    from pinyon.profiles.embedded import open_pinyon
    from pinyon.profiles.environment import read_settings

    async def read() -> list[Books]:
        async with open_pinyon(read_settings(data=data)) as pinyon:
            return await pinyon.books()

    books = run_async(read())
    balanced = all(workspace.balanced for workspace in books)
    if as_json:
        print_json({"balanced": balanced, "workspaces": [as_data(workspace) for workspace in books]})
    else:
        for workspace in books:
            print_books(workspace)
        if not books:
            typer.echo("Nothing is configured yet. Start with: pinyon serve --config pinyon.yaml")
    if not balanced:
        raise typer.Exit(Exit.NO)


def as_data(books: Books) -> dict[str, object]:
    """The books with their sums, for programs."""
    import msgspec

    data: dict[str, object] = msgspec.to_builtins(books)
    data["balanced"] = books.balanced
    data["destinations"] = [
        {**msgspec.to_builtins(entry), "difference": entry.difference} for entry in books.destinations
    ]
    return data


def print_books(books: Books) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    for entry in books.destinations:
        table = Table(title=f"{books.workspace} to {entry.destination}", title_justify="left", show_header=False)
        table.add_column("state", no_wrap=True)
        table.add_column("events", justify="right")
        for label, count in rows(entry):
            table.add_row(label, f"{count:,}")
        table.add_section()
        table.add_row("received by the ledger", f"{entry.received:,}")
        verdict = "0  balanced" if entry.difference == 0 else f"{entry.difference:,}  DOES NOT BALANCE"
        table.add_row("difference", verdict)
        console.print(table)
    if books.invalid:
        console.print(f"{books.invalid:,} members were refused at the door: {books.received:,} received in all.")
    if not books.destinations:
        console.print(f"{books.workspace}: {books.received:,} received, no destination yet.")


def rows(entry: DestinationBooks) -> list[tuple[str, int]]:
    """The states as lines of a table."""
    return [
        *((f"delivered  {name}", count) for name, count in entry.delivered_by_name.items()),
        ("duplicate", entry.duplicates),
        *((f"withheld   {cause}", count) for cause, count in entry.withheld.items()),
        *((f"dead       {cause}", count) for cause, count in entry.dead.items()),
        ("waiting", entry.waiting),
    ]

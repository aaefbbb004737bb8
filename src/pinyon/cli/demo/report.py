"""The demo's summary: what came in, what became of it, and whether Pinterest's stand-in agrees."""

from __future__ import annotations

import sys
from typing import Any

import typer
from msgspec import Struct

from pinyon.domain.books import Books


class Report(Struct):
    """The JSON line of ``pinyon demo --json``."""

    received: int
    duplicates: int
    invalid: int
    withheld: int
    delivered: int
    dead: int
    waiting: int
    balanced: bool
    sandbox_unique_events: int
    events_per_second: float
    seconds: float
    sent: int
    retries: int
    withheld_by_cause: dict[str, int]
    dead_by_cause: dict[str, int]
    delivered_by_name: dict[str, int]
    findings: list[str]  # what does not agree; empty when all does


def report(books: Books, sandbox: dict[str, Any], sent: int, retries: int, seconds: float) -> Report:
    """``sent`` are the members that the shop's clients sent and saw answered."""
    entry = books.destinations[0]
    withheld, dead = sum(entry.withheld.values()), sum(entry.dead.values())
    findings = []
    if entry.difference:
        findings.append(f"the states sum to {entry.received - entry.difference:,}, the ledger says {entry.received:,}")
    if books.received < sent:
        findings.append(f"{sent:,} were acknowledged, {books.received:,} are in the ledger")
    if sandbox["unique_events"] != entry.delivered:
        findings.append(
            f"the sandbox has {sandbox['unique_events']:,} distinct events, delivered are {entry.delivered:,}"
        )
    if entry.waiting:
        findings.append(f"{entry.waiting:,} are still waiting")
    return Report(
        received=books.received,
        duplicates=entry.duplicates,
        invalid=books.invalid,
        withheld=withheld,
        delivered=entry.delivered,
        dead=dead,
        waiting=entry.waiting,
        balanced=not findings,
        sandbox_unique_events=sandbox["unique_events"],
        events_per_second=round(books.received / seconds, 1) if seconds else 0.0,
        seconds=round(seconds, 3),
        sent=sent,
        retries=retries,
        withheld_by_cause=entry.withheld,
        dead_by_cause=entry.dead,
        delivered_by_name=entry.delivered_by_name,
        findings=findings,
    )


def print_report(result: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="What became of the shop's events", title_justify="left", show_header=False)
    table.add_column("what", no_wrap=True, min_width=38)
    table.add_column("events", justify="right", min_width=10)
    table.add_row("[bold]received[/bold]", f"[bold]{result.received:,}[/bold]")
    table.add_section()
    for name, count in sorted(result.delivered_by_name.items(), key=lambda item: -item[1]):
        table.add_row(f"delivered  {name}", f"{count:,}")
    table.add_section()
    table.add_row("duplicate", f"{result.duplicates:,}")
    for cause, count in result.withheld_by_cause.items():
        table.add_row(f"withheld   {cause}", f"{count:,}")
    for cause, count in result.dead_by_cause.items():
        table.add_row(f"dead       {cause}", f"{count:,}")
    table.add_row("invalid", f"{result.invalid:,}")
    table.add_row("waiting", f"{result.waiting:,}")
    table.add_section()
    table.add_row("[bold]delivered[/bold], by Pinyon's records", f"{result.delivered:,}")
    table.add_row("distinct events, by the sandbox's count", f"{result.sandbox_unique_events:,}")
    console = Console(highlight=False)
    console.print(table)
    if result.balanced:
        console.print("[green]The books balance[/green]: every event is in exactly one state, and both counts agree.")
    else:
        console.print(f"[red]The books do not balance[/red]: {'; '.join(result.findings)}.")
    again = f", {result.retries:,} requests retried" if result.retries else ""
    console.print(f"{result.events_per_second:,.0f} events/s from the first request to the last delivery{again}.")


def print_next(server: str, sandbox: str, data: str, example: str | None) -> None:
    """Where to look next, with the command as it was called."""
    pinyon = sys.argv[0]
    typer.echo("\nWhere to look next:")
    typer.echo(f"  {sandbox}   what arrived at Pinterest's stand-in")
    typer.echo(f"  {server}/metrics   the server's figures")
    typer.echo(f"  {pinyon} account --data {data}")
    if example:
        typer.echo(f"  {pinyon} explain {example} --data {data}")

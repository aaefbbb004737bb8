"""``pinyon explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pinyon.cli.output import AsJson, DataFolder, Exit, print_json, run_async

if TYPE_CHECKING:
    from pinyon.domain.trace import Stage, Trace


def explain(
    id_: str = typer.Argument(..., metavar="ID", help="A message id, event id or order id."),
    data: Path | None = DataFolder,
    as_json: bool = AsJson,
) -> None:
    """What became of one event, stage by stage.

    Received, deduplicated or not, consent, identifiers found, the mapping that matched, the payload (identifiers
    shortened), every attempt with Pinterest's answer, and the final state. Works while the server runs. Exit code 1
    when no event has the id.
    """
    from pinyon.profiles.embedded import open_pinyon
    from pinyon.profiles.environment import read_settings

    async def search() -> list[Trace]:
        async with open_pinyon(read_settings(data=data)) as pinyon:
            return await pinyon.traces(id_)

    traces = run_async(search())
    if as_json:
        print_json({"id": id_, "events": traces})
    elif traces:
        print_traces(traces)
    else:
        typer.echo(f'No event has the message id, event id or order id "{id_}".')
        typer.echo("  Ids are compared exactly. Is --data the folder of the server that received it?")
    if not traces:
        raise typer.Exit(Exit.NO)


def print_traces(traces: list[Trace]) -> None:
    import msgspec
    from rich.console import Console
    from rich.markup import escape
    from rich.tree import Tree

    console = Console(highlight=False)
    console.width = max(console.width, 120)  # a payload that is broken to pieces cannot be read

    def add(tree: Tree, stage: Stage) -> None:
        branch = tree.add(f"[bold]{stage.name:<14}[/bold] {escape(stage.sentence)}")
        if stage.name == "payload":
            branch.add(escape(msgspec.json.format(msgspec.json.encode(stage.facts), indent=2).decode()))

    for trace in traces:
        origin = f"{trace.workspace} / {trace.source}" if trace.source else trace.workspace
        tree = Tree(f"[bold]{escape(trace.message_id or 'no message id')}[/bold]  {escape(origin)}")
        for stage in trace.stages:
            add(tree, stage)
        for destination in trace.destinations:
            branch = tree.add(f"[bold]{escape(destination.destination)}[/bold]: {destination.state}")
            for stage in destination.stages:
                add(branch, stage)
        console.print(tree)

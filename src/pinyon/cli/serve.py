"""``pinyon serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import typer

from pinyon.cli.output import AsJson, DataFolder, Exit, run_async


def serve(
    config: Path | None = typer.Option(None, "--config", help="Configuration file: workspaces, sources, destinations."),
    profile: Literal["embedded"] = typer.Option("embedded", help="embedded: one machine, SQLite files in one folder."),
    role: Literal["all", "collect", "deliver"] = typer.Option(
        "all", help="What this process does: collect takes events in, deliver sends them, all does both."
    ),
    data: Path | None = DataFolder,
    host: str | None = typer.Option(None, help="Address to listen on.", show_default="127.0.0.1"),
    port: int | None = typer.Option(None, help="Port to listen on; 0 takes a free one.", show_default="8084"),
    as_json: bool = AsJson,
    follow_stdin: bool = typer.Option(False, hidden=True, help="End when standard input ends."),
) -> None:
    """Run the server: collect events and deliver them to Pinterest.

    A request is answered with 200 when its events are on the disk. Where there are two cores, delivering runs in a
    process of its own. SIGTERM and Ctrl-C end it cleanly: what is under way is finished, what waits stays in the log.

    Point a client at it: Segment's host=http://127.0.0.1:8084, RudderStack's dataPlaneUrl, or PostHog's host, with the
    source's write key. Settings come from PINYON_ variables; see docs/reference/settings.md.
    """
    del profile  # there is one so far; the option is there so that scripts can name it
    from pinyon.profiles.configuration import read_configuration
    from pinyon.profiles.environment import read_settings, unknown_settings

    settings = read_settings(data=data, host=host, port=port)
    from pinyon.cli.logs import set_up
    from pinyon.cli.server import run_server, share_metrics

    set_up(settings, role=role, unknown=unknown_settings())
    document = read_configuration(config) if config is not None else None  # a wrong one leaves nothing behind
    share_metrics(settings, fresh=role != "deliver")
    try:
        run_async(run_server(settings, document, role, as_json=as_json, follow_stdin=follow_stdin))
    except ExceptionGroup as group:
        error = _first(group)
        if isinstance(error, OSError):
            what = f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"
            typer.echo(f"pinyon: {what}. Choose another --port.", err=True)
            raise typer.Exit(Exit.UNREACHABLE) from error
        raise error from None


def _first(group: ExceptionGroup[Exception]) -> Exception:
    """What ended the server; the parts that ended with it are of no interest."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error

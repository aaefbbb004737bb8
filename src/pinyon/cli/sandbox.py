"""``pinyon sandbox``."""

from __future__ import annotations

import typer

from pinyon.cli.output import AsJson, Exit, print_json


def sandbox(
    host: str = typer.Option("127.0.0.1", help="Address to listen on."),
    port: int = typer.Option(8085, help="Port to listen on; 0 takes a free one."),
    faults: str = typer.Option(
        "", help='What goes wrong and how often, e.g. "429=0.05,503=0.02,timeout=0.01,partial=0.03,seed=7".'
    ),
    token: list[str] = typer.Option(
        [],
        help="A token and its ad accounts, TOKEN:ACCOUNT[,ACCOUNT]; repeatable. Default: pina_sandbox:549755885175.",
    ),
    rate_limit: int = typer.Option(5000, help="Calls a minute for an ad account; 0 switches the limit off."),
    as_json: bool = AsJson,
) -> None:
    """A stand-in for Pinterest's API, to try, test and load Pinyon without an account.

    It checks every event against Pinterest's published schema, answers with Pinterest's codes, deduplicates by event
    id and name, and keeps its own record of what arrived: open it in a browser, or ask GET /_sandbox/stats and
    GET /_sandbox/events. Nothing leaves this machine.

    Point Pinyon at it with PINYON_PINTEREST_BASE_URL=http://127.0.0.1:8085/v5, the ad account 549755885175 and the
    conversion token pina_sandbox.
    """
    from dataclasses import replace

    from pinyon.sandbox import SandboxConfig, parse_token, serve

    try:
        config = SandboxConfig(rate_limit_per_minute=rate_limit, faults=faults)
        if token:
            config = replace(config, tokens=dict(parse_token(option) for option in token))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error

    def ready(bound: int) -> None:
        url = f"http://{host}:{bound}"
        if as_json:
            print_json({"url": url, "base_url": f"{url}/v5"})
        else:
            typer.echo(f"Pinterest sandbox at {url}  (API: {url}/v5, record: {url}/_sandbox/stats). Ctrl-C ends it.")

    try:
        serve(config, host, port, ready)
    except OSError as error:
        typer.echo(f"pinyon: cannot listen on {host} port {port}: {error.strerror}. Choose another --port.", err=True)
        raise typer.Exit(Exit.UNREACHABLE) from error

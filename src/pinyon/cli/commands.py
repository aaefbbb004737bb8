"""All commands. Each module has one; what a command needs is imported when it runs, so that help is quick."""

from __future__ import annotations

import sys

import typer

from pinyon import __version__
from pinyon.cli import account, doctor, explain, preview, sandbox, serve, smoke
from pinyon.cli.demo import command as demo
from pinyon.cli.output import fail
from pinyon.domain.errors import PinyonError

HELP = """
Conversions for Pinterest, from your own server.

Point a Segment, RudderStack or PostHog client at it, and every event becomes a valid Pinterest conversion: stored
before it is acknowledged, deduplicated, checked for consent, hashed, delivered, and accounted for.

  pinyon demo                          a shop, a stand-in for Pinterest, and Pinyon between them

  pinyon serve --config pinyon.yaml    the server

  pinyon explain MESSAGE_ID            what became of one event

Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 cannot reach what it needs.
"""

application = typer.Typer(
    help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)
application.command("serve")(serve.serve)
application.command("demo")(demo.demo)
application.command("sandbox")(sandbox.sandbox)
application.command("preview")(preview.preview)
application.command("explain")(explain.explain)
application.command("account")(account.account)
application.command("doctor")(doctor.doctor)
application.command("smoke")(smoke.smoke)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pinyon {__version__}")
        raise typer.Exit


@application.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """The options before a command."""


def run() -> None:
    try:
        application()
    except PinyonError as error:
        sys.exit(fail(error))
    except KeyboardInterrupt:
        sys.exit(130)

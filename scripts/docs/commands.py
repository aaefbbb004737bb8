"""The commands, in their own words."""

from __future__ import annotations

from typing import Final

from typer.testing import CliRunner

from pinyon.cli.commands import application

#: The page is the same on every terminal.
_TERMINAL: Final = {"COLUMNS": "80", "TERM": "dumb"}


def commands() -> str:
    return "\n\n".join(
        f"## `pinyon {name}`\n\n```text\n{_help(name)}\n```"
        for name in (command.name for command in application.registered_commands)
        if name is not None
    )


def _help(name: str) -> str:
    done = CliRunner(env=_TERMINAL).invoke(application, [name, "--help"], prog_name="pinyon", catch_exceptions=False)
    return "\n".join(line.rstrip() for line in done.output.strip().splitlines())

"""``pinyon doctor``."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import typer

from pinyon.cli.output import AsJson, DataFolder, Exit, print_json, run_async
from pinyon.domain.errors import PinyonError

if TYPE_CHECKING:
    from pinyon.config import Settings

#: Free bytes on the data folder's disk below which a warning is given, and below which it is a failure.
LITTLE_SPACE: Final = 5 * 1024**3
NO_SPACE: Final = 256 * 1024**2


class Finding(NamedTuple):
    """``level`` is ok, warning or failure."""

    level: str
    what: str
    advice: str = ""


def doctor(
    data: Path | None = DataFolder,
    config: Path | None = typer.Option(None, "--config", help="Check this configuration file too."),
    as_json: bool = AsJson,
) -> None:
    """Look at the installation and say what is wrong or unsafe, and how to mend it.

    Checks the settings, the data folder and its key, the disk, the event log, the lanes and, where one is named, the
    configuration file. Changes nothing. Exit code 1 when something fails.
    """
    from pinyon.profiles.environment import read_settings

    settings = read_settings(data=data)
    findings = [*_of_settings(), *_of_folder(settings), *_of_configuration(config), *_of_stores(settings)]
    if as_json:
        print_json({"findings": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            mark = {"ok": "ok      ", "warning": "warning ", "failure": "FAILURE "}[finding.level]
            typer.echo(f"{mark} {finding.what}")
            if finding.advice:
                typer.echo(f"         {finding.advice}")
    if any(finding.level == "failure" for finding in findings):
        raise typer.Exit(Exit.NO)


def _of_settings() -> Iterator[Finding]:
    from pinyon.profiles.environment import unknown_settings

    unknown = unknown_settings()
    for name in unknown:
        yield Finding("warning", f"{name} is no setting", "It is ignored. Names are in docs/reference/settings.md.")
    if not unknown:
        yield Finding("ok", "settings are readable")


def _of_folder(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    if not folder.is_dir():
        yield Finding("warning", f"{folder} does not exist yet", "pinyon serve makes it.")
        return
    free = shutil.disk_usage(folder).free
    level = "failure" if free < NO_SPACE else "warning" if free < LITTLE_SPACE else "ok"
    advice = "" if level == "ok" else "Requests get 503 when the disk is full; nothing acknowledged is lost. Make room."
    yield Finding(level, f"{free / 1024**3:.1f} GB free for {folder}", advice)
    for path in (folder, settings.secret_key_file or folder / "secret.key"):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            wanted = "700" if path.is_dir() else "600"
            yield Finding("warning", f"{path} can be read by others", f"chmod {wanted} {path}")


def _of_configuration(config: Path | None) -> Iterator[Finding]:
    if config is None:
        return
    from pinyon.profiles.configuration import read_configuration

    try:
        read_configuration(config)
    except PinyonError as error:
        yield Finding("failure", f"{config} cannot be used", str(error))
    else:
        yield Finding("ok", f"{config} is in order")


def _of_stores(settings: Settings) -> list[Finding]:
    if not (settings.data / "log.db").exists():
        return []
    try:
        return run_async(_look(settings))
    except PinyonError as error:
        return [Finding("failure", error.message, error.advice)]


async def _look(settings: Settings) -> list[Finding]:
    from pinyon.profiles.embedded import open_pinyon

    async with open_pinyon(settings) as pinyon:
        facts = await pinyon.log.facts()
        registry = await pinyon.registry.load()
        size = f"{facts.chunks:,} chunks, {facts.bytes / 1024**2:.1f} MB"
        found = [Finding("ok", f"the event log is whole: {size}")]
        found += [Finding("failure", trouble) for trouble in await pinyon.watch.troubles(registry)]
        for lag in await pinyon.watch.lags(registry):
            if lag.paused:
                found.append(Finding("failure", f"{lag.destination} is paused: {lag.paused}", "Its events wait."))
            else:
                found.append(Finding("ok", f"{lag.destination} is {lag.events:,} events behind"))
        for books in await pinyon.account.books(registry):
            level = "ok" if books.balanced else "failure"
            found.append(Finding(level, f"the books of {books.workspace} {'balance' if books.balanced else 'DIFFER'}"))
        return found

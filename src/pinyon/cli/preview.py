"""``pinyon preview``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

if TYPE_CHECKING:
    from pinyon.domain.registry import Source
    from pinyon.flows.preview import Preview
    from pinyon.flows.route import Router


def preview(
    files: list[typer.FileBinaryRead] | None = typer.Argument(
        None, help="Files of JSON lines. Default: standard input."
    ),
    preset: str = typer.Option("pinyon", help="The preset to map with."),
    destination: Path | None = typer.Option(None, help="File with a destination, YAML or JSON, as in pinyon.yaml."),
    kind: Literal["web", "app", "server"] = typer.Option("web", help="Kind of the source."),
    consent_default: Literal["granted", "denied"] = typer.Option(
        "denied", help="What holds where an event says nothing of consent."
    ),
    currency: str | None = typer.Option(None, help="Currency of the source, e.g. EUR."),
    as_json: bool = typer.Option(True, "--json/--pretty", help="One JSON line for each line, or indented JSON."),
) -> None:
    """Show what Pinterest would be sent, with no server and no network.

    Each line in is an event in the Segment spec's form, or {"name", "event", "destination"}. Each line out is
    {"name", "payloads", "warnings", "withheld", "error"}: the conversions that would be sent, what could not be used
    and why, or why nothing would be sent. An event is taken as received when it was sent.

      echo '{"type":"page","anonymousId":"a","context":{"ip":"192.0.2.1","userAgent":"Mozilla/5.0"}}' | pinyon preview
    """
    import msgspec

    from pinyon.domain.errors import ConfigurationInvalid
    from pinyon.domain.money import currency_code
    from pinyon.domain.registry import Source

    code = currency_code(currency) if currency is not None else None
    if currency is not None and code is None:
        raise ConfigurationInvalid("--currency is not an ISO 4217 code.", advice="For example: EUR.")
    source = Source("src_preview", "ws_preview", "preview", kind, (), consent_default, code)
    default: dict[str, Any] = _read_destination(destination) if destination is not None else {}
    default.setdefault("preset", preset)
    routers = _Routers(source)
    routers.of(default)  # a wrong preset or file is told before anything is read
    lines = (line for file in files for line in file) if files else iter(sys.stdin.buffer)
    for answer in _answers(lines, routers, source, default):
        text = msgspec.json.encode(answer)
        typer.echo((text if as_json else msgspec.json.format(text, indent=2)).decode())


def _answers(
    lines: Iterable[bytes], routers: _Routers, source: Source, default: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    from pinyon.domain.errors import PinyonError
    from pinyon.flows.preview import Preview, preview, read_line

    for line in lines:
        if not line.strip():
            continue
        name: Any = None
        try:
            name, event, wanted = _case(read_line(line))
            router = routers.of(_merged(default, wanted))
            answer = preview(router, source, event, time.time())
        except PinyonError as error:
            answer = Preview(error={"code": error.code, "message": error.message, "advice": error.advice})
        yield {"name": name, **_as_data(answer)}


def _as_data(answer: Preview) -> dict[str, Any]:
    import msgspec

    data: dict[str, Any] = msgspec.to_builtins(answer)
    return data


def _case(data: Any) -> tuple[Any, Any, Any]:
    """(name, event, destination) of a line. An event has a type; a case wraps one in a member ``event``."""
    if isinstance(data, dict) and isinstance(data.get("event"), dict):
        return data.get("name"), data["event"], data.get("destination")
    return None, data, None


def _merged(default: dict[str, Any], wanted: Any) -> dict[str, Any]:
    """Raises ``ConfigurationInvalid``."""
    from pinyon.domain.errors import ConfigurationInvalid

    if wanted is not None and not isinstance(wanted, dict):
        raise ConfigurationInvalid("The destination is not an object.", advice='For example: {"preset": "pinyon"}.')
    return {**default, **(wanted or {})}


class _Routers:
    """Compiled destinations, kept for as long as the lines ask for the same one."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._routers: dict[str, Router] = {}

    def of(self, data: dict[str, Any]) -> Router:
        """Raises ``ConfigurationInvalid``."""
        from pinyon.flows.preview import router_for
        from pinyon.profiles.destinations import TYPES

        key = repr(sorted(data.items()))
        if key not in self._routers:
            self._routers[key] = router_for(data, self._source, TYPES)
        return self._routers[key]


def _read_destination(path: Path) -> dict[str, Any]:
    import yaml

    from pinyon.domain.errors import ConfigurationInvalid

    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationInvalid(f"{path} cannot be read as YAML or JSON.") from error
    if not isinstance(data, dict):
        raise ConfigurationInvalid(
            f"{path} does not hold a destination.", advice="See docs/reference/configuration.md."
        )
    return data

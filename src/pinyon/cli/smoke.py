"""``pinyon smoke``."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pinyon.cli.output import AsJson, DataFolder, Exit, print_json, run_async

if TYPE_CHECKING:
    from pinyon.config import Settings
    from pinyon.domain.trace import Trace


def smoke(
    data: Path | None = DataFolder,
    url: str = typer.Option("http://127.0.0.1:8084", help="Where the server listens."),
    source: str | None = typer.Option(None, help="Name of the source to send as. Default: the first one."),
    patience: float = typer.Option(15.0, "--timeout", help="Seconds to wait for the event to be delivered."),
    as_json: bool = AsJson,
) -> None:
    """Send one event through every part of a running server, and follow it to its end.

    The event is a page view of nobody (example.com, a documentation address), with consent for all categories. Against
    Pinterest itself it is a real page view: use the sandbox, or a test ad account. Exit code 1 when it is not delivered
    in time, 3 when the server cannot be reached.
    """
    from pinyon.profiles.environment import read_settings

    message_id = f"smoke-{uuid.uuid4()}"
    stages = run_async(_run(read_settings(data=data), url, source, message_id, patience))
    delivered = bool(stages) and stages[-1]["state"] == "delivered"
    if as_json:
        print_json({"message_id": message_id, "delivered": delivered, "destinations": stages})
    else:
        for stage in stages:
            typer.echo(f"{stage['destination']}: {stage['state']} after {stage['seconds']:.2f} s. {stage['detail']}")
        typer.echo(f"More of it: pinyon explain {message_id}")
    if not delivered:
        raise typer.Exit(Exit.NO)


async def _run(
    settings: Settings, url: str, source: str | None, message_id: str, patience: float
) -> list[dict[str, Any]]:
    import asyncio

    from pinyon.profiles.embedded import open_pinyon

    started = time.monotonic()
    async with open_pinyon(settings) as pinyon:
        registry = await pinyon.registry.load()
        chosen = next((s for s in registry.sources if source in {None, s.name} and s.enabled), None)
        if chosen is None:
            typer.echo("pinyon: no such source is configured. Start with: pinyon serve --config pinyon.yaml", err=True)
            raise typer.Exit(Exit.NO)
        await _send(url, chosen.write_keys[0], message_id, registry.destinations)
        while True:
            traces = await pinyon.traces(message_id)
            waited = time.monotonic() - started
            if _settled(traces) or waited > patience:
                return _summary(traces, waited)
            await asyncio.sleep(0.1)


async def _send(url: str, write_key: str, message_id: str, destinations: Any) -> None:
    import httpx2

    categories = {category for destination in destinations for category in destination.consent_categories}
    event = {
        "type": "page",
        "messageId": message_id,
        "anonymousId": "smoke",
        "timestamp": datetime.now(UTC).isoformat(),
        "context": {
            "ip": "192.0.2.1",
            "userAgent": "pinyon smoke",
            "page": {"url": "https://example.com/"},
            "consent": {"categoryPreferences": dict.fromkeys(categories, True)},
        },
    }
    try:
        async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
            answer = await client.post(f"{url}/v1/page", json=event, auth=(write_key, ""))
    except httpx2.HTTPError as error:
        typer.echo(f"pinyon: cannot reach {url}. Is pinyon serve running there?", err=True)
        raise typer.Exit(Exit.UNREACHABLE) from error
    if answer.status_code != 200:
        typer.echo(f"pinyon: the server answered {answer.status_code}: {answer.text[:300]}", err=True)
        raise typer.Exit(Exit.NO)


def _settled(traces: list[Trace]) -> bool:
    states = [destination.state for trace in traces for destination in trace.destinations]
    return bool(states) and "waiting" not in states


def _summary(traces: list[Trace], seconds: float) -> list[dict[str, Any]]:
    return [
        {
            "destination": destination.destination,
            "state": destination.state,
            "seconds": round(seconds, 3),
            "detail": destination.stages[-1].sentence if destination.stages else "",
        }
        for trace in traces
        for destination in trace.destinations
    ]

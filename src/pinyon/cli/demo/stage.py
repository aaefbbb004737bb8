"""The demo's two servers, as processes of their own, exactly as a user would start them."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from pinyon.domain.errors import Unavailable

AD_ACCOUNT: Final = "549755885175"
TOKEN: Final = "pina_sandbox"  # noqa: S105  # the sandbox's own; it opens nothing else
#: Seconds that a server gets to start and to end.
PATIENCE: Final = 30.0

CONFIGURATION: Final = """\
workspaces:
  - name: juniper-and-oak
    sources:
      - {{name: shop, kind: web, write_key: "{write_key}", consent_default: granted, currency: EUR}}
    destinations:
      - name: pinterest
        type: pinterest_conversions
        sources: [shop]
        ad_account_id: "{ad_account}"
        conversion_token: env:DEMO_PINTEREST_TOKEN
        preset: pinyon
        consent_categories: [advertising]
"""


class Stage(Struct):
    """Where things are while the demo runs."""

    server: str  # URL of Pinyon
    sandbox: str  # URL of the sandbox
    write_key: str
    data: Path
    log: Path  # what both servers log


@asynccontextmanager
async def stage(folder: Path, faults: str, sandbox_port: int, port: int) -> AsyncIterator[Stage]:
    """Starts the sandbox, then Pinyon pointed at it; ends both.

    Raises ``Unavailable`` when one of them does not start.
    """
    configuration, data, log = folder / "pinyon.yaml", folder / "data", folder / "servers.log"
    write_key = _write_key(configuration)
    configuration.write_text(CONFIGURATION.format(write_key=write_key, ad_account=AD_ACCOUNT), encoding="utf-8")
    environment = {**os.environ, "DEMO_PINTEREST_TOKEN": TOKEN, "PINYON_LOG_FORMAT": "json"}
    environment["PINYON_TRUSTED_PROXIES"] = "127.0.0.1"  # the shop's browsers each have an address of their own
    if faults:
        environment.setdefault("PINYON_SEND_TIMEOUT", "3s")  # a request that is never answered costs this much
    with log.open("ab") as output:
        play = ["sandbox", "--port", str(sandbox_port), "--faults", faults, "--json"]
        async with _process(play, environment, output, log) as (sandbox,):
            environment["PINYON_PINTEREST_BASE_URL"] = f"{sandbox}/v5"
            serve = ["serve", "--config", str(configuration), "--data", str(data), "--port", str(port), "--json"]
            async with _process(serve, environment, output, log) as (server,):
                yield Stage(server, sandbox, write_key, data, log)


def _write_key(configuration: Path) -> str:
    """The one of an earlier run in this folder, so that its data goes on; else a new one."""
    if configuration.exists():
        import yaml

        known = yaml.safe_load(configuration.read_text(encoding="utf-8"))
        return str(known["workspaces"][0]["sources"][0]["write_key"])
    return f"wk_{secrets.token_hex(8)}"


@asynccontextmanager
async def _process(
    arguments: list[str], environment: dict[str, str], output: object, log: Path
) -> AsyncIterator[tuple[str]]:
    """Runs ``pinyon`` with these arguments until the body ends; gives the URL that it prints when it is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pinyon",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=output,  # type: ignore[arg-type]  # a file
        start_new_session=True,  # Ctrl-C is the demo's to handle, in the right order
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await process.stdout.readline()
        if not line:
            raise Unavailable("demo_failed", f"pinyon {arguments[0]} did not start.", f"Its log: {log}")
        yield (json.loads(line)["url"],)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(PATIENCE):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

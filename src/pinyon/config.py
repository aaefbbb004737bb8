"""The one table of settings: name, unit, default, help, and whether the value is secret.

Each is read from the environment as ``PINYON_<NAME>`` by ``profiles/environment.py`` and nowhere else; the command
line wins over it. ``docs/reference/settings.md`` is made from this table.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

KILOBYTE = 1024
MEGABYTE = 1024 * KILOBYTE


def _read_duration(value: object) -> object:
    """Durations are given as 500ms, 30s, 10m, 12h or 7d."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", value)
    if found is None:
        raise ValueError("is no duration; write it as 500ms, 30s, 10m, 12h or 7d")
    return timedelta(seconds=float(found[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400}[found[2]])


def _read_list(value: object) -> object:
    """Lists are given with commas."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


Duration = Annotated[timedelta, BeforeValidator(_read_duration)]


class Settings(BaseModel):
    """Everything that can be set for a server. Frozen: read once at start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(Path("pinyon-data"), description="Folder of the event log, the records and the key file.")
    host: str = Field("127.0.0.1", description="Address to listen on. 0.0.0.0 listens on all.")
    port: int = Field(8084, ge=0, le=65535, description="Port of everything that speaks HTTP. 0 takes a free one.")
    secret_key: SecretStr | None = Field(
        None, description="Master key, 32 bytes as hex or base64. Without it, secret_key_file is used."
    )
    secret_key_file: Path | None = Field(
        None, description="File with the master key. Default: secret.key in the data folder, made at first start."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Form of the log lines; auto is console on a terminal and json elsewhere."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")

    max_event_bytes: int = Field(32 * KILOBYTE, ge=1, description="Largest event, in bytes of JSON.")
    max_batch_bytes: int = Field(500 * KILOBYTE, ge=1, description="Largest request body, in bytes, decoded.")
    max_batch_events: int = Field(2_500, ge=1, description="Most events in one request.")
    body_timeout: Duration = Field(timedelta(seconds=30), description="Longest time for a request body to arrive.")
    ingest_queue_bytes: int = Field(
        64 * MEGABYTE, ge=1, description="Bytes that may wait for a commit; beyond it requests get 503."
    )
    trusted_proxies: Annotated[tuple[str, ...], BeforeValidator(_read_list)] = Field(
        (), description="Addresses or networks whose X-Forwarded-For names the client, comma-separated."
    )

    retention: Duration = Field(timedelta(days=7), description="How long a chunk stays after all lanes have passed it.")
    dedup_window: Duration = Field(
        timedelta(hours=48), description="Least time in which a second event with the same message id is a duplicate."
    )

    pinterest_base_url: str = Field(
        "https://api.pinterest.com/v5", description="Pinterest's API. The demo points it at the sandbox."
    )
    flush_interval: Duration = Field(
        timedelta(milliseconds=500), description="Longest time an event waits for others to fill its batch."
    )
    batches_in_flight: int = Field(4, ge=1, le=64, description="Batches of one lane that may be under way at once.")
    send_timeout: Duration = Field(timedelta(seconds=30), description="Longest time for one request to a destination.")
    retry_base: Duration = Field(timedelta(seconds=1), description="First back-off after a failed request.")
    retry_cap: Duration = Field(timedelta(minutes=5), description="Longest back-off.")
    drain_timeout: Duration = Field(
        timedelta(seconds=10), description="Time that batches under way get to finish at shutdown."
    )
    processes: Literal["auto", "one", "two"] = Field(
        "auto", description="Whether collecting and delivering share a process; auto is two where there are two cores."
    )

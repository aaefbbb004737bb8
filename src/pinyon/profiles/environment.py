"""Reads the settings from the environment. Nothing else does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from pinyon.config import Settings
from pinyon.domain.errors import ConfigurationInvalid

PREFIX = "PINYON_"


class _Environment(Settings, BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, enable_decoding=False
    )


def read_settings(**given: Any) -> Settings:
    """The settings: what is ``given`` and not None, else the environment, else the defaults.

    Raises ``ConfigurationInvalid`` with every finding, none of which repeats a value.
    """
    try:
        settings = _Environment(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        findings = [_finding(detail) for detail in error.errors()]
        raise ConfigurationInvalid("A setting cannot be used.", findings, "See docs/reference/settings.md.") from error
    return Settings.model_validate(settings.model_dump())


def _finding(detail: Any) -> str:
    name = "_".join(str(part) for part in detail["loc"]).upper()
    problem = detail["ctx"]["error"] if detail["type"] == "value_error" else detail["msg"]
    return f"{PREFIX}{name}: {problem}."


def unknown_settings() -> list[str]:
    """Variables that look like settings and are none: most likely misspelt."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def resolve_secret(reference: str) -> str:
    """The value of ``env:NAME`` or ``file:PATH``, without the line's end.

    Raises ``LookupError`` with a sentence that says where it was looked for.
    """
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = os.environ.get(name)
        if not value:
            raise LookupError(f"refers to the environment variable {name}, which is not set")
        return value
    try:
        value = Path(name).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise LookupError(f"refers to the file {name}, which cannot be read: {error.strerror}") from error
    if not value:
        raise LookupError(f"refers to the file {name}, which is empty")
    return value

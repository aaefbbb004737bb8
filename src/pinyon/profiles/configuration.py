"""Reads the configuration file."""

from __future__ import annotations

from pathlib import Path

from pinyon.domain.errors import ConfigurationInvalid
from pinyon.flows import configure
from pinyon.profiles.destinations import TYPES
from pinyon.profiles.environment import resolve_secret


def read_configuration(path: Path) -> configure.Configuration:
    """The file, checked, with its secrets. Touches no store. Raises ``ConfigurationInvalid``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationInvalid(f"{path} cannot be read: {reason}.") from error
    return configure.parse(text, str(path), TYPES, resolve_secret)

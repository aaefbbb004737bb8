"""Tables of settings, errors and destinations' members, from the tables in the code."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pinyon.config import Settings
from pinyon.domain.errors import PinyonError
from pinyon.flows.collect.faults import MEMBER_FAULTS, REQUEST_FAULTS, Fault, body_timeout
from pinyon.ports.destination import Field
from pinyon.profiles.destinations import TYPES

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_FORMS: Final = {
    int: "whole number",
    timedelta: "duration",
    Path: "path",
    SecretStr: "text, secret",
    tuple: "list",
    str: "text",
}


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar in a cell is escaped."""
    lines = [list(heads), ["---"] * len(heads), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def settings() -> str:
    rows = [
        (f"`PINYON_{name.upper()}`", _default(field.default), _form(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return table(("Variable", "Default", "Form", "What it does"), rows)


def _default(value: Any) -> str:
    if value is None or value == ():
        return "none"
    return f"`{_duration(value) if isinstance(value, timedelta) else value}`"


def _duration(value: timedelta) -> str:
    seconds = value.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    # Two days read better as the 48 hours that people say.
    return f"{seconds / 3600:.0f}h" if unit == "d" and seconds < 3 * size else f"{seconds / size:.0f}{unit}"


def _form(field: FieldInfo) -> str:
    annotation: Any = field.annotation
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in typing.get_args(annotation))
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    kind = annotation if annotation in _FORMS else typing.get_origin(annotation) or kinds[0]
    return _FORMS[kind if kind in _FORMS else kinds[0]]


def member_faults() -> str:
    return _faults(MEMBER_FAULTS)


def request_faults() -> str:
    return _faults([*REQUEST_FAULTS, body_timeout()])


def _faults(faults: Iterable[Fault | PinyonError]) -> str:
    rows = [(f"`{fault.code}`", str(fault.status), fault.message, fault.advice) for fault in faults]
    return table(("Code", "Status", "Cause", "Advice"), rows)


def destination_fields() -> str:
    parts = []
    for kind in TYPES.values():
        rows = [_destination_field(field) for field in kind.fields]
        presets = ", ".join(f"`{preset.name}`" for preset in kind.presets)
        parts.append(f"### `{kind.name}`\n\n{kind.label}. Presets: {presets}.\n")
        parts.append(table(("Member", "Required", "Secret", "What it is", "Example"), rows))
    return "\n".join(parts)


def _destination_field(field: Field) -> tuple[str, ...]:
    required, secret = ("yes" if flag else "no" for flag in (field.required, field.secret))
    return f"`{field.name}`", required, secret, field.help, f"`{field.example}`"

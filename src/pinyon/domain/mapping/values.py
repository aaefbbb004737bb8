"""Reading single values that strangers sent."""

from __future__ import annotations

from typing import Any


def text(value: Any) -> str | None:
    """Text with something in it, without outer white space; numbers as text; None for all else."""
    if type(value) is str:
        return value.strip() or None
    if type(value) is int:
        return str(value)
    if type(value) is float:
        return str(int(value)) if value.is_integer() else repr(value)
    return None


def first_text(*values: Any) -> str | None:
    """The first value that is text."""
    for value in values:
        if value is not None:
            found = text(value)
            if found is not None:
                return found
    return None

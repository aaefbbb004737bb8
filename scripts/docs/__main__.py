"""Writes the parts of the docs that are made from code: ``python -m scripts.docs``, or ``make docs``.

A page marks such a part with ``<!-- generated: NAME -->`` and ``<!-- /generated -->``; what stands between is replaced.
With ``--check`` nothing is written; pages that differ are named, and the exit code is 1.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from scripts.docs import commands, events, metrics, tables

ROOT: Final = Path(__file__).resolve().parents[2]

#: Page -> name of the part -> what writes it.
PAGES: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "docs/reference/settings.md": {"settings": tables.settings},
    "docs/reference/errors.md": {"members": tables.member_faults, "requests": tables.request_faults},
    "docs/reference/cli.md": {"commands": commands.commands},
    "docs/reference/configuration.md": {"destinations": tables.destination_fields},
    "docs/reference/events.md": {"presets": events.presets, "unused": events.unused_names, "fields": events.fields},
    "docs/reference/metrics.md": {"metrics": metrics.metrics},
}

_PART: Final = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def fill(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """The page with its generated parts as they should be.

    Raises ``ValueError`` when the page does not mark exactly these parts.
    """
    marked = [match[2] for match in _PART.finditer(text)]
    if sorted(marked) != sorted(parts):
        raise ValueError(f"the page marks the parts {marked}, and should mark {list(parts)}")
    return _PART.sub(lambda match: f"{match[1]}\n{parts[match[2]]().strip()}\n\n{match[3]}", text)


def main() -> int:
    check = "--check" in sys.argv[1:]
    stale = 0
    for name, parts in PAGES.items():
        page = ROOT / name
        present = page.read_text(encoding="utf-8")
        wanted = fill(present, parts)
        if wanted == present:
            continue
        stale += 1
        if not check:
            page.write_text(wanted, encoding="utf-8")
        sys.stdout.write(f"{name} {'is stale: run make docs' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

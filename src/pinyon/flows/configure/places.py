"""Where in a YAML text each value stands, so that a finding can name the line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import yaml

Path = tuple[str | int, ...]


def lines(text: str) -> dict[Path, int]:
    """Path of each value and key -> line, from 1.

    Raises ``yaml.YAMLError``.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return dict(_walk(root, ())) if root is not None else {}


def line_of(places: dict[Path, int], path: Sequence[str | int]) -> int:
    """The line of the value, or of the nearest thing around it."""
    at = tuple(path)
    while at and at not in places:
        at = at[:-1]
    return places.get(at, 1)


def repeated_keys(text: str) -> list[tuple[int, str]]:
    """(line, key) of each key that stands twice in one mapping: the second would silently win."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return list(_repeated(root)) if root is not None else []


def _walk(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            yield from _walk(value, inner)
            yield inner, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(value, (*path, index))


def _repeated(node: yaml.Node) -> Iterator[tuple[int, str]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield key.start_mark.line + 1, name
            seen.add(name)
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _repeated(value)

"""What leads to which of Pinterest's events and members. The members are found by asking the mapping itself.

Each path that an event can have is set alone, and what it adds to the payload is what it leads to; where several paths
lead to one member, they are set together, and those that are seen come first.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec
from msgspec import Struct
from scripts.docs.tables import table

from pinyon.destinations.pinterest_conversions.events import EVENT_NAMES, PRESETS
from pinyon.domain.event import Event, Product
from pinyon.domain.registry import Source
from pinyon.flows.preview import preview, router_for
from pinyon.profiles.destinations import TYPES

Path = tuple[str, ...]  # "[]" stands for the first member of a list

_SOURCE: Final = Source("src", "ws", "shop", "web", ("write key",))
_NOW: Final = 1_800_000_000.0

#: An event that can be sent, and forms of it in which some paths have an effect that they have not in others.
_EVENT: Final[dict[str, Any]] = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m",
    "anonymousId": "nobody",
    "timestamp": "2026-01-31T12:00:00Z",
    "context": {"traits": {"email": "nobody@example.com"}},
}
Form = tuple[tuple[Path, Any], ...]
_FORMS: Final[tuple[Form, ...]] = (
    (),
    ((("properties", "value"), 1),),
    ((("properties", "product_id"), "none"),),
    ((("properties", "products", "[]", "product_id"), "none"),),
    ((("context", "device", "type"), "ios"),),
)
_SECTIONS: Final = ("", "user_data", "custom_data", "app_info", "device_info")

#: What the event is called and when it happened is told in words on the page; ``num_items`` is a sum.
_TOLD: Final = frozenset({"event_name", "event_id", "event_time", "action_source", "custom_data.num_items"})
_NOT_ASKED: Final = frozenset({"type", "event", "messageId", "timestamp", "originalTimestamp", "sentAt", "channel"})

#: Values by the last name of a path, as long as there are such paths; elsewhere the path itself is the value.
_SAMPLES: Final[Mapping[str, Sequence[Any]]] = {
    "email": [f"{name}@example.com" for name in "abcd"],
    "phone": [f"+1555000000{digit}" for digit in range(4)],
    "gender": ["female", "male"],
    "birthday": ["1990-01-01", "1990-01-02"],
    "state": ["ca", "ny", "tx", "wa"],
    "country": ["us", "ca", "gb", "de"],
    "postalCode": ["10001", "10002"],
    "zip": ["20001", "20002"],
    "ip": ["198.51.100.7"],
    "locale": ["de-DE"],
    "url": [f"https://shop.example.com/{name}?epik={name}" for name in "ab"],
    "search": ["?epik=search"],
    "advertisingId": ["12345678-1234-4234-8234-123456789abc"],
    "adTrackingEnabled": [False],
    "wifi": [True],
    "currency": ["EUR"],
    **{name: [10 + at, 20 + at] for at, name in enumerate(("value", "total", "revenue", "price", "predicted_ltv"))},
    "quantity": [7, 8],
}
_OF_PATHS: Final[Mapping[Path, Any]] = {("context", "os", "name"): "iOS", ("context", "device", "type"): "android"}


def presets() -> str:
    parts = []
    for preset in PRESETS:
        rows = [
            (f"`{rule.trigger.type}`", f"`{rule.trigger.event}`" if rule.trigger.event else "any", f"`{rule.name}`")
            for rule in preset.rules
            if rule.enabled
        ]
        parts.append(f"### `{preset.name}`\n\n{preset.help}\n\n" + table(("Type", "Event", "Pinterest event"), rows))
    return "\n\n".join(parts)


def unused_names() -> str:
    used = {rule.name for preset in PRESETS for rule in preset.rules}
    return ", ".join(f"`{name}`" for name in EVENT_NAMES if name not in used) + "."


def fields() -> str:
    sources: dict[str, list[Path]] = {}
    for path in _SAMPLED:
        for member in {member: None for form in _FORMS for member in _effect(form, [path])}:
            sources.setdefault(member, []).append(path)
    members = sorted(sources, key=lambda member: _SECTIONS.index(member.rpartition(".")[0].partition(".")[0]))
    rows = [(f"`{member}`", _in_words(_ranked(member, sources[member]))) for member in members]
    return table(("Pinterest member", "Taken from"), rows)


def _ranked(member: str, paths: list[Path]) -> list[list[Path]]:
    """Groups of paths: those of a group are all kept, and a group counts where the ones before it are missing."""
    form = max(_FORMS, key=lambda form: sum(member in _effect(form, [path]) for path in paths))
    waiting = [path for path in paths if member in _effect(form, [path])]
    elsewhere = [path for path in paths if path not in waiting]
    ranked: list[list[Path]] = []
    while waiting:
        together = _effect(form, waiting)[member]
        seen = [path for path in waiting if _effect(form, [path])[member] <= together] or waiting
        ranked.append(seen)
        waiting = [path for path in waiting if path not in seen]
    for path in elsewhere:
        other = next(form for form in _FORMS if member in _effect(form, [path]))
        beaten = (at for at, group in enumerate(ranked) if _beats(member, (*form, *other), path, group))
        ranked.insert(next(beaten, len(ranked)), [path])
    return ranked


def _beats(member: str, form: Form, path: Path, others: list[Path]) -> bool:
    """Whether the value of this path is seen, and that of the others is not."""
    together = _effect(form, [path, *others]).get(member, frozenset())
    return together == _effect(form, [path]).get(member) != _effect(form, others).get(member)


def _in_words(groups: list[list[Path]]) -> str:
    return ", else ".join(" and ".join(f"`{_dotted(path)}`" for path in group) for group in groups)


def _dotted(path: Path) -> str:
    return ".".join(path).replace(".[]", "[]")


def _effect(form: Form, paths: Sequence[Path]) -> dict[str, frozenset[Any]]:
    """Member -> the values that it has with these paths and has not without them."""
    base = copy.deepcopy(_EVENT)
    for path, value in form:
        _put(base, path, value)
    event = copy.deepcopy(base)
    for path in paths:
        _put(event, path, _SAMPLED[path])
    before, after = _payload(base), _payload(event)
    new = {member: values - before.get(member, frozenset()) for member, values in after.items()}
    return {member: values for member, values in new.items() if values and member not in _TOLD}


def _payload(event: dict[str, Any]) -> dict[str, frozenset[Any]]:
    answer = preview(_ROUTER, _SOURCE, event, _NOW)
    found: dict[str, set[Any]] = {}
    for member, value in _leaves("", answer.payloads[0]):
        found.setdefault(member, set()).add(value)
    return {member: frozenset(values) for member, values in found.items()}


def _leaves(at: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(f"{at}.{name}" if at else name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(f"{at}[]" if isinstance(inner, dict) else at, inner)
    else:
        yield at, value


def _put(event: dict[str, Any], path: Path, value: Any) -> None:
    place: Any = event
    for name, following in pairwise(path):
        empty: Any = [{}] if following == "[]" else {}
        place = place[0] if name == "[]" else place.setdefault(name, empty)
    place[path[-1]] = value


def _paths(form: type[Struct], at: Path = ()) -> Iterator[Path]:
    for member in msgspec.structs.fields(form):
        path = (*at, member.encode_name)
        if path == ("properties", "products"):
            yield from _paths(Product, (*path, "[]"))
        elif isinstance(member.type, type) and issubclass(member.type, Struct):
            yield from _paths(member.type, path)
        elif path[0] not in _NOT_ASKED and path[-1] != "categoryPreferences":
            yield path


def _sampled(paths: Iterator[Path]) -> dict[Path, Any]:
    used: Counter[str] = Counter()
    sampled = {}
    for path in paths:
        samples = _SAMPLES.get(path[-1])
        sampled[path] = _OF_PATHS.get(path, samples[used[path[-1]]] if samples else ".".join(path))
        used[path[-1]] += 1
    return sampled


_SAMPLED: Final = _sampled(_paths(Event))
_ROUTER: Final = router_for({}, _SOURCE, TYPES)

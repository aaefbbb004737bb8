"""Which events become which of the vendor's events."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from pinyon.domain.event import Event


class Trigger(Struct, frozen=True):
    """Fires on events of one type and, where one is named, one event name."""

    type: str
    event: str | None = None  # the ``event`` of a track call; None fires on every one

    def __str__(self) -> str:
        return f'type = "{self.type}"' + (f' and event = "{self.event}"' if self.event is not None else "")


class MappingRule(Struct, frozen=True):
    """Trigger and vendor's event name."""

    trigger: Trigger
    name: str  # the vendor's event name
    enabled: bool = True


#: Looks up the rule that an event fires: the first enabled one, in the order they are configured.
Match = Callable[[Event], MappingRule | None]


def compile_rules(rules: Iterable[MappingRule]) -> Match:
    """One dictionary look-up per event, however many rules there are."""
    of_type: dict[str, MappingRule] = {}
    of_event: dict[tuple[str, str], MappingRule] = {}
    for rule in rules:
        if not rule.enabled:
            continue
        type_, name = rule.trigger.type, rule.trigger.event
        if name is None:
            of_type.setdefault(type_, rule)
        elif type_ not in of_type:
            of_event.setdefault((type_, name), rule)

    def match(event: Event) -> MappingRule | None:
        type_, name = event.type, event.event
        if type(type_) is not str:
            return None
        if type(name) is str:
            return of_event.get((type_, name)) or of_type.get(type_)
        return of_type.get(type_)

    return match

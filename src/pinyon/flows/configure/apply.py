"""From what the file says to the registry, keeping the ids of what was there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from pinyon.domain.registry import Destination, Registry, Source, Workspace
from pinyon.flows.configure.document import Configuration, DestinationEntry, SourceEntry, WorkspaceEntry
from pinyon.ports.destination import DestinationType

Kept = TypeVar("Kept", Source, Destination)

#: Makes a new id with the prefix given.
NewId = Callable[[str], str]


def apply(
    configuration: Configuration, registry: Registry, types: Mapping[str, DestinationType], new_id: NewId
) -> Registry:
    """The registry as configured, on the same revision.

    Things are recognised by their names. What the file does not name is switched off, not deleted: its lane, its books
    and what waits in it stay, and naming it again brings it back.
    """
    workspaces, sources, destinations = [], [], []
    for entry in configuration.workspaces:
        workspace = next((known for known in registry.workspaces if known.name == entry.name), None)
        workspace = workspace or Workspace(new_id("ws"), entry.name)
        own = [_source(workspace, source, registry, new_id) for source in entry.sources]
        workspaces.append(workspace)
        sources += own
        destinations += _destinations(workspace, entry, own, registry, types, new_id)
    return Registry(
        registry.revision,
        (*workspaces, *(known for known in registry.workspaces if known not in workspaces)),
        (*sources, *_without_keys_of(sources, _switched_off(registry.sources, sources))),
        (*destinations, *_switched_off(registry.destinations, destinations)),
    )


def _source(workspace: Workspace, entry: SourceEntry, registry: Registry, new_id: NewId) -> Source:
    known = (s for s in registry.sources if s.workspace_id == workspace.id and s.name == entry.name)
    found = next(known, None)
    return Source(
        id=found.id if found is not None else new_id("src"),
        workspace_id=workspace.id,
        name=entry.name,
        kind=entry.kind,
        write_keys=tuple(entry.write_key),
        consent_default=entry.consent_default,
        currency=entry.currency,
        enabled=entry.enabled,
    )


def _destinations(
    workspace: Workspace,
    entry: WorkspaceEntry,
    sources: list[Source],
    registry: Registry,
    types: Mapping[str, DestinationType],
    new_id: NewId,
) -> list[Destination]:
    ids = {source.name: source.id for source in sources}
    known = {d.name: d.id for d in registry.destinations if d.workspace_id == workspace.id}
    return [
        Destination(
            id=known.get(destination.name) or new_id("dst"),
            workspace_id=workspace.id,
            name=destination.name,
            type=destination.type,
            source_ids=tuple(ids[name] for name in destination.sources),
            settings=_settings(destination, types[destination.type], secret=False),
            secrets=_settings(destination, types[destination.type], secret=True),
            consent_categories=tuple(destination.consent_categories),
            preset=destination.preset,
            enabled=destination.enabled,
        )
        for destination in entry.destinations
    ]


def _settings(entry: DestinationEntry, kind: DestinationType, *, secret: bool) -> dict[str, str]:
    return {
        field.name: entry.settings.get(field.name) or field.default
        for field in kind.fields
        if field.secret == secret and (entry.settings.get(field.name) or field.default)
    }


def _switched_off(known: tuple[Kept, ...], configured: list[Kept]) -> list[Kept]:
    ids = {entry.id for entry in configured}
    return [msgspec.structs.replace(entry, enabled=False) for entry in known if entry.id not in ids]


def _without_keys_of(configured: list[Source], switched_off: list[Source]) -> list[Source]:
    """A key that has gone to another source, as when one is renamed, must not lead to the old one."""
    taken = {key for source in configured for key in source.write_keys}
    return [
        msgspec.structs.replace(source, write_keys=tuple(key for key in source.write_keys if key not in taken))
        for source in switched_off
    ]

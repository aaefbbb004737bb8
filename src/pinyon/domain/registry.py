"""What is configured: workspaces, sources and destinations."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

SourceKind = Literal["web", "app", "server"]
ConsentDefault = Literal["granted", "denied"]


class Workspace(Struct, frozen=True):
    """One company's data."""

    id: str
    name: str


class Source(Struct, frozen=True):
    """A website, app or server that sends events."""

    id: str
    workspace_id: str
    name: str
    kind: SourceKind
    write_keys: tuple[str, ...]
    consent_default: ConsentDefault = "denied"  # what holds where an event says nothing of consent
    currency: str | None = None  # ISO 4217, where an event has a value and no currency
    enabled: bool = True


class Destination(Struct, frozen=True):
    """One configured receiver. ``secrets`` are clear text here and sealed where they are stored."""

    id: str
    workspace_id: str
    name: str
    type: str
    source_ids: tuple[str, ...]
    settings: dict[str, str]
    secrets: dict[str, str]
    consent_categories: tuple[str, ...] = ()
    preset: str = "pinyon"
    enabled: bool = True

    def __repr__(self) -> str:
        return f"Destination(id={self.id!r}, name={self.name!r}, type={self.type!r})"  # a secret must not reach a log


class Registry(Struct, frozen=True):
    """All that is configured, at one revision."""

    revision: int
    workspaces: tuple[Workspace, ...] = ()
    sources: tuple[Source, ...] = ()
    destinations: tuple[Destination, ...] = ()

"""The registry in a relational database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from pinyon.adapters.sql import tables
from pinyon.adapters.sql.database import Database
from pinyon.adapters.vault import DataKey, Keyring
from pinyon.domain.errors import PinyonError
from pinyon.domain.registry import Destination, Registry, Source, Workspace
from pinyon.ports.registry import RegistryStore

_ROW: Final = 1  # the id of the one row of ``registry``

_texts: Final = msgspec.json.Decoder(dict[str, str])
_categories: Final = msgspec.json.Decoder(tuple[str, ...])

#: In the order in which rows may be inserted; the reverse is the order in which they may be deleted.
_CONFIGURED: Final = (
    tables.workspaces,
    tables.sources,
    tables.write_keys,
    tables.destinations,
    tables.destination_sources,
)

Rows = list[dict[str, object]]


class SqlRegistryStore(RegistryStore):
    """Secrets of destinations are sealed, each bound to its destination."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def load(self) -> Registry:
        """As the port says. Raises ``StoreDamaged`` when a secret does not open."""
        return await self._database.read(self._load)

    async def save(self, registry: Registry) -> Registry:
        def replace(connection: sa.Connection) -> None:
            _advance(connection, registry.revision)
            for table in reversed(_CONFIGURED):
                connection.execute(sa.delete(table))
            for table, rows in zip(_CONFIGURED, self._rows(connection, registry), strict=True):
                if rows:
                    connection.execute(sa.insert(table), rows)

        await self._database.write(replace)
        return msgspec.structs.replace(registry, revision=registry.revision + 1)

    async def close(self) -> None:
        """Closes the database, for all stores that share it."""
        await self._database.close()

    def _load(self, connection: sa.Connection) -> Registry:
        revision = connection.execute(sa.select(tables.registry.c.revision)).scalar_one_or_none()
        write_keys = _grouped(connection, tables.write_keys.c.source_id, tables.write_keys.c.write_key)
        of_destination = tables.destination_sources.c
        source_ids = _grouped(connection, of_destination.destination_id, of_destination.source_id)
        return Registry(
            revision=revision or 0,
            workspaces=tuple(Workspace(row.id, row.name) for row in _ordered(connection, tables.workspaces)),
            sources=tuple(_source(row, write_keys[row.id]) for row in _ordered(connection, tables.sources)),
            destinations=tuple(
                self._destination(connection, row, source_ids[row.id])
                for row in _ordered(connection, tables.destinations)
            ),
        )

    def _destination(self, connection: sa.Connection, row: sa.Row[Any], source_ids: tuple[str, ...]) -> Destination:
        query = sa.select(tables.data_keys.c.wrapped).where(tables.data_keys.c.workspace_id == row.workspace_id)
        key = self._keyring.unwrap(row.workspace_id, connection.execute(query).scalar_one())
        return Destination(
            id=row.id,
            workspace_id=row.workspace_id,
            name=row.name,
            type=row.type,
            source_ids=source_ids,
            settings=_texts.decode(row.settings),
            secrets=_texts.decode(key.open(row.secrets, _context(row.id))),
            consent_categories=_categories.decode(row.consent_categories),
            preset=row.preset,
            enabled=row.enabled,
        )

    def _rows(self, connection: sa.Connection, registry: Registry) -> Iterator[Rows]:
        """For each table of ``_CONFIGURED`` its rows."""
        yield [{"id": one.id, "ordinal": n, "name": one.name} for n, one in enumerate(registry.workspaces)]
        yield [
            {
                "id": one.id,
                "ordinal": n,
                "workspace_id": one.workspace_id,
                "name": one.name,
                "kind": one.kind,
                "consent_default": one.consent_default,
                "currency": one.currency,
                "enabled": one.enabled,
            }
            for n, one in enumerate(registry.sources)
        ]
        yield [
            {"source_id": one.id, "ordinal": n, "write_key": write_key}
            for one in registry.sources
            for n, write_key in enumerate(one.write_keys)
        ]
        yield [self._destination_values(connection, n, one) for n, one in enumerate(registry.destinations)]
        yield [
            {"destination_id": one.id, "ordinal": n, "source_id": source_id}
            for one in registry.destinations
            for n, source_id in enumerate(one.source_ids)
        ]

    def _destination_values(
        self, connection: sa.Connection, ordinal: int, destination: Destination
    ) -> dict[str, object]:
        key = self._key(connection, destination.workspace_id)
        return {
            "id": destination.id,
            "ordinal": ordinal,
            "workspace_id": destination.workspace_id,
            "name": destination.name,
            "type": destination.type,
            "settings": msgspec.json.encode(destination.settings).decode(),
            "secrets": key.seal(msgspec.json.encode(destination.secrets), _context(destination.id)),
            "consent_categories": msgspec.json.encode(destination.consent_categories).decode(),
            "preset": destination.preset,
            "enabled": destination.enabled,
        }

    def _key(self, connection: sa.Connection, workspace_id: str) -> DataKey:
        table = tables.data_keys
        query = sa.select(table.c.wrapped).where(table.c.workspace_id == workspace_id)
        wrapped = connection.execute(query).scalar_one_or_none()
        if wrapped is not None:
            return self._keyring.unwrap(workspace_id, wrapped)
        key, wrapped = self._keyring.new_key(workspace_id)
        connection.execute(sa.insert(table).values(workspace_id=workspace_id, wrapped=wrapped))
        return key


def _advance(connection: sa.Connection, revision: int) -> None:
    """From ``revision`` to the next; refused when the store is at another."""
    table = tables.registry
    present = connection.execute(sa.select(table.c.revision).with_for_update()).scalar_one_or_none()
    if revision != (present or 0):
        raise PinyonError(
            "revision_conflict",
            f"The change was made on revision {revision}; the newest is {present or 0}.",
            "Load the newest revision and make the change again.",
            status=412,
        )
    if present is None:
        connection.execute(sa.insert(table).values(id=_ROW, revision=revision + 1))
    else:
        connection.execute(sa.update(table).values(revision=revision + 1))


def _ordered(connection: sa.Connection, table: sa.Table) -> Iterable[sa.Row[Any]]:
    return connection.execute(sa.select(table).order_by(table.c.ordinal))


def _grouped(
    connection: sa.Connection, group: sa.Column[str], value: sa.Column[str]
) -> defaultdict[str, tuple[str, ...]]:
    """The values of each group, in their order."""
    grouped: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for name, one in connection.execute(sa.select(group, value).order_by(group.table.c.ordinal)):
        grouped[name] += (one,)
    return grouped


def _source(row: sa.Row[Any], write_keys: tuple[str, ...]) -> Source:
    return Source(
        id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        kind=row.kind,
        write_keys=write_keys,
        consent_default=row.consent_default,
        currency=row.currency,
        enabled=row.enabled,
    )


def _context(destination_id: str) -> bytes:
    """What the sealed bytes are: the secrets of this destination and of no other."""
    return b"destination secrets\0" + destination_id.encode()

"""The tables of ``state.db``, in types that PostgreSQL has too."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

#: The revision that these tables are of: the newest in ``migrations``, which a test holds it to.
REVISION: Final = "0001"

METADATA: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

#: Grows by itself. SQLite does that for a column of type INTEGER only, which holds 64 bits there.
_Number: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

registry: Final = sa.Table(
    "registry",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),  # one row
    sa.Column("revision", sa.Integer, nullable=False),
)

# ``ordinal`` keeps the order in which things were configured.
workspaces: Final = sa.Table(
    "workspaces",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
)

sources: Final = sa.Table(
    "sources",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("workspace_id", sa.Text, sa.ForeignKey("workspaces.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("consent_default", sa.Text, nullable=False),
    sa.Column("currency", sa.Text),
    sa.Column("enabled", sa.Boolean, nullable=False),
)

write_keys: Final = sa.Table(
    "write_keys",
    METADATA,
    sa.Column("source_id", sa.Text, sa.ForeignKey("sources.id"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("write_key", sa.Text, nullable=False),
)

destinations: Final = sa.Table(
    "destinations",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("ordinal", sa.Integer, nullable=False),
    sa.Column("workspace_id", sa.Text, sa.ForeignKey("workspaces.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),  # JSON object
    sa.Column("secrets", sa.LargeBinary, nullable=False),  # JSON object, sealed
    sa.Column("consent_categories", sa.Text, nullable=False),  # JSON array
    sa.Column("preset", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
)

destination_sources: Final = sa.Table(
    "destination_sources",
    METADATA,
    sa.Column("destination_id", sa.Text, sa.ForeignKey("destinations.id"), primary_key=True),
    sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
    # No foreign key: a source may be named that is not there (yet); that is for whoever checks configurations.
    sa.Column("source_id", sa.Text, nullable=False),
)

#: The key that the secrets of a workspace are sealed with. Not removed with the workspace: backups hold its seals.
data_keys: Final = sa.Table(
    "data_keys",
    METADATA,
    sa.Column("workspace_id", sa.Text, primary_key=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
)

lanes: Final = sa.Table(
    "lanes",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("workspace_id", sa.Text, nullable=False),
    sa.Column("destination_id", sa.Text, nullable=False),
    sa.Column("start", sa.BigInteger, nullable=False),
    sa.Column("baseline", sa.Text, nullable=False),  # JSON: source id -> events
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("opened_at", sa.Double, nullable=False),
    sa.Column("paused", sa.Text, nullable=False),
    sa.Column("paused_at", sa.Double),
    sa.UniqueConstraint("workspace_id", "destination_id"),
)

outcomes: Final = sa.Table(
    "outcomes",
    METADATA,
    sa.Column("id", _Number, primary_key=True),
    sa.Column("lane_id", sa.Text, sa.ForeignKey("lanes.id"), nullable=False),
    sa.Column("first_seq", sa.BigInteger, nullable=False),
    sa.Column("first_index", sa.Integer, nullable=False),
    sa.Column("last_seq", sa.BigInteger, nullable=False),
    sa.Column("last_index", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Integer, nullable=False),
    sa.Column("by_name", sa.Text, nullable=False),  # JSON: event name -> events
    sa.Column("attempts", sa.Text, nullable=False),  # JSON array
    sa.Column("recorded_at", sa.Double, nullable=False),
    sa.Column("reference_list", sa.LargeBinary, nullable=False),  # see OutcomeRecord.references
    # With both ends in it, the batch that spans a place is found without reading the rows and their references.
    sa.Index("outcomes_by_place", "lane_id", "first_seq", "first_index", "last_seq", "last_index"),
)

#: Kept in the order of their places: rows come nearly in that order, and an insert then costs little however many
#: there are. (Indexes on digests of the ids, whose order is random, were measured to make it ten times slower.)
exceptions: Final = sa.Table(
    "exceptions",
    METADATA,
    sa.Column("lane_id", sa.Text, sa.ForeignKey("lanes.id"), primary_key=True),
    sa.Column("place_seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("place_index", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("source_id", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Column("event_name", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("order_id", sa.Text, nullable=False),
    sa.Column("received_at", sa.Double, nullable=False),
    sa.Column("recorded_at", sa.Double, nullable=False),
    sa.Column("attempts", sa.Text, nullable=False),  # JSON array
    sa.Index("exceptions_by_state", "lane_id", "state", "cause", "place_seq", "place_index"),
    sqlite_with_rowid=False,
)

#: By which exceptions are found: one row for each record, scanned as the references of outcomes are.
exception_ids: Final = sa.Table(
    "exception_ids",
    METADATA,
    sa.Column("id", _Number, primary_key=True),
    sa.Column("lane_id", sa.Text, sa.ForeignKey("lanes.id"), nullable=False),
    sa.Column("places", sa.LargeBinary, nullable=False),  # msgpack array of places
    sa.Column("reference_list", sa.LargeBinary, nullable=False),  # for each: message id, event id, order id
)

#: Sums over the records, kept in the transaction that keeps these: counting rows would read them all.
tallies: Final = sa.Table(
    "tallies",
    METADATA,
    sa.Column("lane_id", sa.Text, sa.ForeignKey("lanes.id"), primary_key=True),
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("cause", sa.Text, primary_key=True),  # empty for "delivered"
    sa.Column("event_name", sa.Text, primary_key=True),  # the vendor's, for "delivered" only
    sa.Column("events", sa.BigInteger, nullable=False),
)

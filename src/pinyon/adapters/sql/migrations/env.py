"""Called by Alembic: runs the migrations on the connection that ``schema.py`` gives."""

from __future__ import annotations

from alembic import context

from pinyon.adapters.sql.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()

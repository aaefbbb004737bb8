"""Brings a database to the newest schema, by the migrations in this package."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError

from pinyon.domain.errors import PinyonError


def upgrade(engine: sa.Engine, name: str) -> None:
    """To the newest schema, in one transaction. Raises ``PinyonError`` when the database is newer than the code."""
    with engine.begin() as connection:
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as error:
            if not isinstance(error.__cause__, ResolutionError):
                raise
            raise PinyonError(
                "store_too_new",
                f"{name} was written by a newer version of Pinyon.",
                "Use the version of Pinyon that wrote it, or a newer one.",
            ) from error


def downgrade(engine: sa.Engine, revision: str) -> None:
    """Back to an older revision, or to "base", which leaves nothing."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def newest() -> str:
    """The revision that ``upgrade`` leads to."""
    head = ScriptDirectory.from_config(_config(None)).get_current_head()
    assert head is not None
    return head


def _config(connection: sa.Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", "pinyon.adapters.sql:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config

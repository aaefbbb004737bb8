"""The relational stores: registry and lanes."""

from pinyon.adapters.sql.database import Database
from pinyon.adapters.sql.lanes import SqlLanes
from pinyon.adapters.sql.registry import SqlRegistryStore

__all__ = ["Database", "SqlLanes", "SqlRegistryStore"]

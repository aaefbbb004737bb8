"""The event log in SQLite."""

from pinyon.adapters.sqlite.event_log import SqliteEventLog
from pinyon.adapters.sqlite.lock import FolderLock

__all__ = ["FolderLock", "SqliteEventLog"]

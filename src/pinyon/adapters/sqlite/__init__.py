"""The event log in SQLite."""

from pinyon.adapters.sqlite.event_log import SqliteEventLog

__all__ = ["SqliteEventLog"]

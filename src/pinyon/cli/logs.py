"""Log lines: for people on a terminal, JSON elsewhere. The same words and keys in both."""

from __future__ import annotations

import logging
import sys

import structlog

from pinyon.config import Settings


def set_up(settings: Settings, *, role: str, unknown: list[str]) -> None:
    """Log lines go to standard error; ``role`` stands in each. ``unknown`` settings are told at once."""
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if console else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(role=role)
    for name in unknown:
        structlog.get_logger("pinyon").warning("setting.unknown", name=name, advice="names: docs/reference/settings.md")

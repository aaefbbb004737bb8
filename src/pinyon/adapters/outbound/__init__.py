"""The one way out: HTTP requests to destinations."""

from pinyon.adapters.outbound.sender import HttpSender

__all__ = ["HttpSender"]

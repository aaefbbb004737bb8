"""Collecting over HTTP: raw ASGI, no framework on the request path."""

from pinyon.endpoints.collect.endpoint import CollectEndpoint

__all__ = ["CollectEndpoint"]

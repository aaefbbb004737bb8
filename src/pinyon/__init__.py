"""Pinyon: conversions, app measurement and audiences for Pinterest, self-hosted."""

__version__ = "0.1.0"

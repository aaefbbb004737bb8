"""A stand-in for Pinterest's API v5 on this machine: takes conversion events, checks them, shows what came."""

from pinyon.sandbox.api import create_app
from pinyon.sandbox.config import SandboxConfig, parse_token
from pinyon.sandbox.faults import FaultSpecError, parse_faults
from pinyon.sandbox.server import serve, serve_until

__all__ = [
    "FaultSpecError",
    "SandboxConfig",
    "create_app",
    "parse_faults",
    "parse_token",
    "serve",
    "serve_until",
]

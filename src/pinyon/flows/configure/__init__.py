"""The configuration file: read it, check it, and make the registry say what it says."""

from pinyon.flows.configure.apply import apply
from pinyon.flows.configure.document import Configuration, parse

__all__ = ["Configuration", "apply", "parse"]

"""Mapping: which events become which of the vendor's, and with what in them."""

from pinyon.domain.mapping.defaults import Origin, clear, occurred_at, origin_of
from pinyon.domain.mapping.rules import MappingRule, Match, Trigger, compile_rules

__all__ = ["MappingRule", "Match", "Origin", "Trigger", "clear", "compile_rules", "occurred_at", "origin_of"]

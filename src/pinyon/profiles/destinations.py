"""Every destination type there is. A new one is added here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pinyon.config import Settings
from pinyon.destinations.pinterest_conversions import PinterestConversionsType
from pinyon.flows.dispatch import Kinds
from pinyon.ports.destination import DestinationType

TYPES: Final[Mapping[str, DestinationType]] = {PinterestConversionsType.name: PinterestConversionsType()}


def kinds(settings: Settings) -> Kinds:
    """The types with the addresses of their vendors."""
    return Kinds(TYPES, {PinterestConversionsType.name: settings.pinterest_base_url})

"""Pinterest's conversions API v5: how it is configured, what it is sent and what its answers mean."""

from __future__ import annotations

from collections.abc import Mapping

from pinyon.destinations.pinterest_conversions.connection import PinterestConversions
from pinyon.destinations.pinterest_conversions.events import PRESETS
from pinyon.destinations.pinterest_conversions.spec import FIELDS


class PinterestConversionsType:
    """Implements ``ports.destination.DestinationType``."""

    name = "pinterest_conversions"
    label = "Pinterest Conversions"
    fields = FIELDS
    presets = PRESETS

    def connect(self, settings: Mapping[str, str], secrets: Mapping[str, str], base_url: str) -> PinterestConversions:
        return PinterestConversions(settings, secrets, base_url)

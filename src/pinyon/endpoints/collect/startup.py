"""The least that browser clients must be told before they send."""

from __future__ import annotations

from typing import Any

from pinyon.domain.registry import Source


def segment_settings(write_key: str, host: str, scheme: str) -> dict[str, Any]:
    """For npm @segment/analytics-next 1.84.3.

    It takes the key and the host of its events from here alone. A sample rate above 0 would make it send its own
    metrics to Segment.
    """
    destination = {
        "apiKey": write_key,
        "apiHost": f"{host}/v1",
        "protocol": scheme,
        "versionSettings": {"componentTypes": ["browser"]},
        "type": "browser",
    }
    return {
        "integrations": {"Segment.io": destination},
        "plan": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0},
        "remotePlugins": [],
        "legacyVideoPluginsEnabled": False,
    }


def rudder_config(source: Source, write_key: str) -> dict[str, Any]:
    """For npm @rudderstack/analytics-js 3.34.1, which does not start without id, config and destinations."""
    off = {"enabled": False}
    return {
        "source": {
            "id": source.id,
            "name": source.name,
            "writeKey": write_key,
            "enabled": True,
            "workspaceId": source.workspace_id,
            "config": {"statsCollection": {"errors": off, "metrics": off}},
            "destinations": [],
        }
    }

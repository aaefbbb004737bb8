"""How far behind the lanes are, and whether the server can do its work."""

from __future__ import annotations

from pinyon.domain.errors import PinyonError
from pinyon.domain.lane import Lag
from pinyon.domain.registry import Registry
from pinyon.ports.clock import Clock
from pinyon.ports.event_log import EventLog
from pinyon.ports.lanes import Lanes


class Watch:
    def __init__(self, log: EventLog, lanes: Lanes, clock: Clock) -> None:
        self._log = log
        self._lanes = lanes
        self._clock = clock

    async def lags(self, registry: Registry) -> list[Lag]:
        lanes = {lane.destination_id: lane for lane in await self._lanes.all()}
        names = {workspace.id: workspace.name for workspace in registry.workspaces}
        found: list[Lag] = []
        for destination in registry.destinations:
            lane = lanes.get(destination.id)
            if lane is None:
                continue
            unread = await self._log.unread(lane.workspace_id, after=lane.position)
            oldest = await self._log.headers(lane.workspace_id, after=lane.position, limit=1)
            found.append(
                Lag(
                    workspace=names.get(lane.workspace_id, ""),
                    destination=destination.name,
                    events=sum(count for source, count in unread.items() if source in destination.source_ids),
                    seconds=max(0.0, self._clock.now() - oldest[0].first_received_at) if oldest else 0.0,
                    paused=lane.paused,
                )
            )
        return found

    async def troubles(self, registry: Registry) -> list[str]:
        """Why requests cannot be served now. A paused destination is none: its events wait in the log."""
        try:
            await self._log.head()
        except PinyonError as error:
            return [str(error)]
        if not registry.sources:
            return ["No source is configured. Start with a configuration file: pinyon serve --config pinyon.yaml."]
        return []

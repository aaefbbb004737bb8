"""Retention: a chunk goes when every lane has passed it and its time is over."""

from __future__ import annotations

import structlog

from pinyon.domain.registry import Registry
from pinyon.ports.clock import Clock
from pinyon.ports.event_log import EventLog
from pinyon.ports.lanes import Lanes

logger = structlog.get_logger("pinyon.retain")


class Retain:
    def __init__(self, log: EventLog, lanes: Lanes, clock: Clock, retention: float) -> None:
        """``retention`` in seconds."""
        self._log = log
        self._lanes = lanes
        self._clock = clock
        self._retention = retention

    async def run(self, registry: Registry) -> int:
        """Delete what may go; the number of chunks."""
        lanes = await self._lanes.all()
        before = self._clock.now() - self._retention
        deleted = 0
        for workspace in registry.workspaces:
            positions = [lane.position for lane in lanes if lane.workspace_id == workspace.id]
            through = min(positions, default=await self._log.head())
            gone = await self._log.forget(workspace.id, through=through, received_before=before)
            if gone:
                logger.info("log.retained", workspace_id=workspace.id, chunks_deleted=gone)
            deleted += gone
        return deleted

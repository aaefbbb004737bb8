"""The account: for every destination, received = delivered + duplicate + withheld + dead + waiting.

The left side is the ledger that collecting keeps, the right side the records that delivering keeps and the chunks it
has not read. Neither is derived from the other, so a difference means that something was lost or counted twice.
"""

from __future__ import annotations

from pinyon.domain.books import Books, DestinationBooks
from pinyon.domain.lane import Lane
from pinyon.domain.registry import Destination, Registry, Workspace
from pinyon.ports.event_log import EventLog
from pinyon.ports.lanes import Lanes, LaneTotals


class Account:
    def __init__(self, log: EventLog, lanes: Lanes) -> None:
        self._log = log
        self._lanes = lanes

    async def books(self, registry: Registry) -> list[Books]:
        """The books of every workspace, consistent although collecting and delivering go on."""
        lanes = {lane.destination_id: lane for lane in await self._lanes.all()}
        return [await self._of_workspace(registry, workspace, lanes) for workspace in registry.workspaces]

    async def _of_workspace(self, registry: Registry, workspace: Workspace, lanes: dict[str, Lane]) -> Books:
        own = [destination for destination in registry.destinations if destination.workspace_id == workspace.id]
        destinations = [
            await self._of_destination(destination, lanes[destination.id])
            for destination in own
            if destination.id in lanes
        ]
        totals = await self._log.totals(workspace.id)
        invalid = sum(total.invalid for total in totals.values())
        return Books(
            workspace=workspace.name,
            received=sum(total.received for total in totals.values()) + invalid,
            invalid=invalid,
            destinations=destinations,
        )

    async def _of_destination(self, destination: Destination, lane: Lane) -> DestinationBooks:
        """Reads until the lane did not move in between: the sums then belong to one moment."""
        while True:
            position = lane.position
            head = await self._log.head()
            collected = await self._collected(lane, head)
            unread = await self._unread(lane, head)
            totals = await self._lanes.totals(lane.id)
            lane = next(other for other in await self._lanes.all() if other.id == lane.id)
            if lane.position == position:
                waiting = sum(count for source_id, count in unread.items() if source_id in destination.source_ids)
                ignored = sum(unread.values()) - waiting + totals.passed_over
                return _books(destination, collected - ignored, waiting, totals)

    async def _collected(self, lane: Lane, head: int) -> int:
        """Events of the workspace in the lane's time, up to ``head``, by the ledger."""
        totals = await self._log.totals(lane.workspace_id, through=head)
        return sum(total.received - lane.baseline.get(source_id, 0) for source_id, total in totals.items())

    async def _unread(self, lane: Lane, head: int) -> dict[str, int]:
        """Source id -> events between the lane's position and ``head``."""
        unread = await self._log.unread(lane.workspace_id, after=lane.position)
        later = await self._log.unread(lane.workspace_id, after=head)
        return {source_id: count - later.get(source_id, 0) for source_id, count in unread.items()}


def _books(destination: Destination, received: int, unread: int, totals: LaneTotals) -> DestinationBooks:
    def of(state: str) -> dict[str, int]:
        return {cause: count for (found, cause), count in sorted(totals.exceptions.items()) if found == state and count}

    return DestinationBooks(
        destination_id=destination.id,
        destination=destination.name,
        received=received,
        delivered=sum(totals.delivered.values()),
        duplicates=sum(of("duplicate").values()),
        withheld=of("withheld"),
        dead=of("dead"),
        waiting=unread + sum(of("waiting").values()),
        delivered_by_name=dict(sorted(totals.delivered.items())),
    )

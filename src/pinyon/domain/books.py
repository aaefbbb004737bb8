"""The books: every event that was received is in exactly one state, and the sums show it."""

from __future__ import annotations

from msgspec import Struct, field


class SourceTotals(Struct, frozen=True):
    """What a source has sent, ever: ``received`` good events and ``invalid`` members."""

    received: int = 0
    invalid: int = 0


class DestinationBooks(Struct, frozen=True):
    """The account of one destination.

    ``received`` comes from the ledger that collecting keeps, the states from the records that delivering keeps:
    neither is derived from the other.
    """

    destination_id: str
    destination: str
    received: int
    delivered: int
    duplicates: int
    withheld: dict[str, int]  # cause -> events
    dead: dict[str, int]  # cause -> events
    waiting: int
    delivered_by_name: dict[str, int] = field(default_factory=dict)

    @property
    def difference(self) -> int:
        """Received less all states; 0 when the books balance."""
        states = self.delivered + self.duplicates + sum(self.withheld.values()) + sum(self.dead.values()) + self.waiting
        return self.received - states


class Books(Struct, frozen=True):
    """The account of one workspace."""

    workspace: str
    received: int  # every member that was received, the invalid ones included
    invalid: int
    destinations: list[DestinationBooks]

    @property
    def balanced(self) -> bool:
        return all(books.difference == 0 for books in self.destinations)

"""The event of all benches: an order of 1.8 KB with three products, in as many distinct copies as are needed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from struct import Struct
from typing import Final

#: All names, addresses and numbers in it are invented or reserved for documentation.
ORDER: Final = Path(__file__).with_name("order.json").read_bytes().strip()
#: The moment in ``ORDER``, to the second.
_MOMENT: Final = b"2026-03-14T09:26:53"
#: What differs from one order to the next, as it stands in ``ORDER``: hexadecimal digits each.
_VARIED: Final = (
    b"7d40c9e1a85b36f2d0",  # message id
    b"3e9a61c4",  # anonymous id, its first group
    b"a40d7be26f85",  # its last
    b"81d3f06a",  # user id
    b"a97e20c5d31f",  # order id
    b"6b2e90d7",  # in the e-mail address
    b"c41b9e07",  # in the click id
    b"64f0a2b7c9d1e3f500000a01",  # the products' ids
    b"64f0a2b7c9d1e3f500000a02",
    b"64f0a2b7c9d1e3f500000a03",
    b"20e1",  # in their SKUs
    b"03b0",
    b"11c5",
    b"5be7029c14d8af63",  # image
)


class Orders:
    """Makes orders that differ in all ids; the same ones for the same seed and moment."""

    def __init__(self, seed: int, moment: float) -> None:
        """``moment`` is when they happened, in seconds since the epoch; to the second."""
        stated = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
        pieces = re.split(b"(" + b"|".join(_VARIED) + b")", ORDER.replace(_MOMENT, stated))
        self._form = b"%b".join(pieces[::2])
        self._arrange = itemgetter(*(_VARIED.index(piece) for piece in pieces[1::2]))
        self._values = Struct("".join(f"{len(piece)}s" for piece in _VARIED))
        self._random = random.Random(seed)

    def bodies(self, count: int) -> list[bytes]:
        """JSON objects, one an order."""
        return [self._form % self._arrange(values) for values in self._draw(count)]

    def events(self, count: int) -> list[tuple[str, bytes]]:
        """(message id, JSON object) of each."""
        return [(f"ajs-next-{values[0].decode()}", self._form % self._arrange(values)) for values in self._draw(count)]

    def _draw(self, count: int) -> Iterator[tuple[bytes, ...]]:
        return self._values.iter_unpack(self._random.randbytes(count * self._values.size // 2).hex().encode())

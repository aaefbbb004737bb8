"""The event of all benches: an order of 1.8 KB with three products, in as many distinct copies as are needed."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

#: All names, addresses and numbers in it are invented or reserved for documentation.
ORDER: Final = Path(__file__).with_name("order.json").read_bytes().strip()
#: The moment in ``ORDER``, to the second.
_MOMENT: Final = b"2026-03-14T09:26:53"
#: What differs from one order to the next, as it stands in ``ORDER``: hexadecimal digits each.
_VARIED: Final = (
    b"7d40c9e1a85b36f2d0",  # message id
    b"a40d7be26f85",  # the end of the anonymous id
    b"81d3f06a",  # user id
    b"a97e20c5d31f",  # order id
    b"6b2e90d7",  # in the e-mail address
    b"c41b9e07",  # in the click id
)


class Orders:
    """Makes orders that differ in all ids; the same ones for the same seed and moment."""

    def __init__(self, seed: int, moment: float) -> None:
        """``moment`` is when they happened, in seconds since the epoch; to the second."""
        stated = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
        template = ORDER.replace(_MOMENT, stated)
        self._pieces = re.split(b"(" + b"|".join(_VARIED) + b")", template)
        self._varied = [(place, _VARIED.index(piece)) for place, piece in enumerate(self._pieces) if piece in _VARIED]
        self._random = random.Random(seed)

    def bodies(self, count: int) -> list[bytes]:
        """JSON objects, one an order."""
        return [body for _, body in self.events(count)]

    def events(self, count: int) -> list[tuple[str, bytes]]:
        """(message id, JSON object) of each."""
        width = sum(map(len, _VARIED))
        digits = self._random.randbytes(count * width // 2).hex().encode()
        return [self._one(digits[start : start + width]) for start in range(0, count * width, width)]

    def _one(self, digits: bytes) -> tuple[str, bytes]:
        values = []
        for old in _VARIED:
            values.append(digits[: len(old)])
            digits = digits[len(old) :]
        pieces = self._pieces.copy()
        for place, index in self._varied:
            pieces[place] = values[index]
        return f"ajs-next-{values[0].decode()}", b"".join(pieces)

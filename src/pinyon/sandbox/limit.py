"""How many calls a caller may make in a window of time."""

import math
from collections import defaultdict, deque


class SlidingWindow:
    """At most ``calls`` per key in any ``seconds``; ``calls`` 0 is no limit."""

    def __init__(self, calls: int, seconds: float) -> None:
        self._calls = calls
        self._seconds = seconds
        self._admitted: defaultdict[str, deque[float]] = defaultdict(deque)

    def admit(self, key: str, now: float) -> int:
        """0 when the call is let in, else the whole seconds to wait, at least 1. A refused call does not count."""
        if self._calls <= 0:
            return 0
        admitted = self._admitted[key]
        while admitted and admitted[0] <= now - self._seconds:
            admitted.popleft()
        if len(admitted) < self._calls:
            admitted.append(now)
            return 0
        return max(1, math.ceil(admitted[0] + self._seconds - now))

"""Everything a running sandbox holds, in memory only."""

import asyncio

from pinyon.sandbox.config import SandboxConfig
from pinyon.sandbox.faults import parse_faults
from pinyon.sandbox.limit import SlidingWindow
from pinyon.sandbox.record import Record


class Sandbox:
    def __init__(self, config: SandboxConfig) -> None:
        self.config = config
        self.tokens = dict(config.tokens)
        self.record = Record(config.keep)
        # Set when the server stops, so that requests left without an answer end at once.
        self.closing = asyncio.Event()
        self.set_faults(config.faults)
        self.reset()

    def reset(self) -> None:
        """Forgets what was received and the calls that count towards limits. Tokens and faults stay as they are."""
        self.record.clear()
        self.calls_per_minute = SlidingWindow(self.config.rate_limit_per_minute, 60)
        self.test_calls_per_second = SlidingWindow(self.config.test_rate_limit_per_second, 1)

    def set_faults(self, spec: str) -> None:
        """Numbers the requests from 0 again. Raises ``FaultSpecError`` and then changes nothing."""
        self.faults = parse_faults(spec, seed=self.config.seed)
        self._drawn = 0

    def draw_fault(self) -> str | None:
        self._drawn += 1
        return self.faults.of_request(self._drawn - 1)

"""Runs tests that are coroutines."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec

P = ParamSpec("P")

#: Seconds after which a test is taken to hang. Far above what any test needs: no test measures time by it.
HANGS_AFTER: Final = 120.0


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test written as a coroutine function, run to its end in an event loop of its own.

    Fixtures are requested as in any test: the signature stays. A test that hangs fails with ``TimeoutError``.
    """

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(HANGS_AFTER):
                await test(*args, **kwargs)

        asyncio.run(bounded())

    return run

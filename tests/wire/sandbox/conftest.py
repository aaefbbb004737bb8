from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx2
import pytest
from sandbox_calls import Clock, client_of, running

from pinyon.sandbox import SandboxConfig


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(clock) -> Iterator[Callable[..., httpx2.Client]]:
    """``start(**settings)`` runs a sandbox by the clock of this test and gives a client of it."""
    with ExitStack() as stack:

        def start_one(**settings) -> httpx2.Client:
            base_url = stack.enter_context(running(SandboxConfig(now=clock, **settings)))
            return stack.enter_context(client_of(base_url))

        yield start_one

"""What every registry store does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import msgspec
import pytest

from pinyon.domain.errors import PinyonError
from pinyon.domain.registry import Destination, Registry, Source, Workspace
from pinyon.ports.registry import RegistryStore
from pinyon.testing.running import in_loop

#: Opens the store under test; each time the same one.
OpenRegistry = Callable[[], AbstractAsyncContextManager[RegistryStore]]


def registry(revision: int = 0) -> Registry:
    """Two workspaces with all that a registry can hold."""
    return Registry(
        revision=revision,
        workspaces=(Workspace("ws_z", "Zoë's shop"), Workspace("ws_a", "acme")),
        sources=(
            Source("src_2", "ws_z", "web", "web", ("key-2", "key-1"), "granted", "EUR"),
            Source("src_1", "ws_a", "app", "app", (), "denied", None, enabled=False),
            Source("src_3", "ws_z", "till", "server", ("key-3",)),
        ),
        destinations=(
            Destination(
                "dst_2",
                "ws_z",
                "pinterest",
                "pinterest_conversions",
                ("src_3", "src_2"),
                {"ad_account_id": "549755885175", "note": "é\n"},
                {"conversion_token": "pina_ABC", "empty": ""},
                ("advertising", "analytics"),
                "segment",
                enabled=False,
            ),
            Destination("dst_1", "ws_a", "second", "pinterest_conversions", ("src_1",), {}, {}),
        ),
    )


class RegistryConformance:
    """Subclass it, and give the fixture ``open_registry``."""

    @pytest.fixture
    def open_registry(self) -> OpenRegistry:
        raise NotImplementedError

    @in_loop
    async def test_a_new_store_is_empty(self, open_registry: OpenRegistry) -> None:
        async with open_registry() as store:
            assert await store.load() == Registry(0)

    @in_loop
    async def test_what_is_loaded_is_what_was_saved(self, open_registry: OpenRegistry) -> None:
        """Every field, in the order given, and the secrets."""
        async with open_registry() as store:
            saved = await store.save(registry())
            assert saved == registry(revision=1)
            assert await store.load() == saved

    @in_loop
    async def test_a_save_replaces_all(self, open_registry: OpenRegistry) -> None:
        async with open_registry() as store:
            first = await store.save(registry())
            less = msgspec.structs.replace(first, destinations=first.destinations[1:], sources=first.sources[:2])
            second = await store.save(less)
            assert second.revision == 2
            assert await store.load() == second
            empty = await store.save(Registry(2))
            assert await store.load() == empty == Registry(3)

    @in_loop
    async def test_a_change_of_an_old_revision_is_refused(self, open_registry: OpenRegistry) -> None:
        async with open_registry() as store:
            current = await store.save(registry())
            for revision in (0, 2):
                with pytest.raises(PinyonError) as caught:
                    await store.save(Registry(revision))
                assert (caught.value.code, caught.value.status) == ("revision_conflict", 412)
            assert await store.load() == current

    @in_loop
    async def test_of_changes_at_once_one_wins(self, open_registry: OpenRegistry) -> None:
        async with open_registry() as store:
            await store.load()
            changes = [Registry(0, (Workspace(f"ws_{n}", f"name {n}"),)) for n in range(8)]
            results = await asyncio.gather(*(store.save(one) for one in changes), return_exceptions=True)
            won = [result for result in results if isinstance(result, Registry)]
            lost = [result for result in results if isinstance(result, PinyonError)]
            assert (len(won), len(lost)) == (1, 7)
            assert await store.load() == won[0]


class DurableRegistryConformance(RegistryConformance):
    """What a store does that outlives its process, besides."""

    @in_loop
    async def test_all_is_there_after_reopening(self, open_registry: OpenRegistry) -> None:
        async with open_registry() as store:
            await store.save(registry())
        async with open_registry() as store:
            assert await store.load() == registry(revision=1)
            assert (await store.save(registry(revision=1))).revision == 2

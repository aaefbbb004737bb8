"""One worker for each enabled destination: they follow the registry, and failed ones come back."""

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import pytest
from delivering import ACME, KINDS, NOW, PACE, PIN, SHOP, Stage, WatchedLanes, order, orders
from msgspec.structs import replace

from pinyon.adapters.memory import MemoryRegistryStore
from pinyon.domain.registry import Registry
from pinyon.flows.dispatch import Dispatcher, open_lane
from pinyon.testing.running import in_loop
from pinyon.testing.sender import accept, reply

OTHER = replace(PIN, id="dst_other", name="other", settings={"ad_account_id": "1234"})


class WatchedStore(MemoryRegistryStore):
    """Tells when a revision is in force."""

    def __init__(self):
        super().__init__()
        self.loaded = Counter()
        self.changed = asyncio.Condition()

    async def load(self):
        found = await super().load()
        async with self.changed:
            self.loaded[found.revision] += 1
            self.changed.notify_all()
        return found

    async def followed(self, revision):
        """The dispatcher looks again only when it has followed what it saw."""
        async with self.changed:
            await self.changed.wait_for(lambda: self.loaded[revision] >= 2)


class FailingLanes(WatchedLanes):
    """Refuses the first records, as a full disk does."""

    def __init__(self, failures):
        super().__init__()
        self.failures = failures

    async def record(self, lane_id, **what):
        if self.failures:
            self.failures -= 1
            raise OSError(28, "No space left on device")
        await super().record(lane_id, **what)


class Town(Stage):
    """A stage with a registry that changes."""

    def __init__(self, *script, destinations=(PIN,), lanes=None, **pace):
        super().__init__(*script, pace=replace(PACE, follow_interval=0.0, **pace))
        self.lanes = lanes or self.lanes
        self.tools = replace(self.tools, lanes=self.lanes)
        self.store = WatchedStore()
        self.destinations = destinations

    async def save(self, *destinations):
        """Returns when it is in force."""
        self.registry = await self.store.save(Registry(self.registry.revision, (ACME,), self.sources, destinations))
        await self.store.followed(self.registry.revision)

    @asynccontextmanager
    async def dispatching(self):
        self.registry = await self.store.save(Registry(0, (ACME,), self.sources, self.destinations))
        dispatcher, stop = Dispatcher(self.store, KINDS, self.tools, self.pace, 172_800.0), asyncio.Event()
        running = asyncio.create_task(dispatcher.run(stop))
        try:
            await self.store.followed(1)
            yield
        finally:
            stop.set()
            await running

    async def lane_of(self, destination):
        return await open_lane(self.log, self.lanes, destination, self.clock.now())

    async def arrived(self, *destinations):
        """Wait until these destinations have accounted for all that is in the log."""
        head = await self.log.head()
        async with self.lanes.changed:
            while any([(await self.lane_of(each)).position < head for each in destinations]):
                await self.lanes.changed.wait()


@in_loop
async def test_each_destination_gets_every_event():
    town = Town(destinations=(PIN, OTHER))
    async with town.dispatching():
        await town.collect(*orders(3))
        await town.arrived(PIN, OTHER)
    assert town.sender.batches == [["e-0", "e-1", "e-2"]] * 2


@in_loop
async def test_a_destination_added_later_begins_at_the_head():
    town = Town()
    async with town.dispatching():
        await town.collect(*orders(3))
        await town.arrived(PIN)
        await town.save(PIN, OTHER)
        lane = await town.lane_of(OTHER)
        assert (lane.start, lane.baseline) == (1, {SHOP.id: 3})
        await town.collect(order("e-new"))
        await town.arrived(PIN, OTHER)
    assert town.sender.batches == [["e-0", "e-1", "e-2"], ["e-new"], ["e-new"]]


@in_loop
async def test_changed_settings_are_used_for_what_comes_next():
    town, requests = Town(), []

    def note(request):
        requests.append((request.url, request.headers["Authorization"]))
        return accept(request)

    town.sender.otherwise = note
    async with town.dispatching():
        await town.collect(order("e-0"))
        await town.arrived(PIN)
        await town.save(replace(PIN, settings={"ad_account_id": "777"}, secrets={"conversion_token": "pina_2"}))
        await town.collect(order("e-1"))
        await town.arrived(PIN)
    assert requests == [
        ("https://pinterest.invalid/v5/ad_accounts/549755885175/events", "Bearer pina_1"),
        ("https://pinterest.invalid/v5/ad_accounts/777/events", "Bearer pina_2"),
    ]


@in_loop
async def test_new_credentials_end_a_pause():
    """The old worker stands still with a batch under way; that batch goes out with the new token."""
    probed = asyncio.Event()

    async def probe(_):
        probed.set()
        await asyncio.Event().wait()

    refusal = reply(401, {"code": 2, "message": "Authentication failed."})
    town = Town(refusal, probe, drain_timeout=0.0)
    async with town.dispatching():
        await town.collect(order("e-0"))
        await probed.wait()
        assert (await town.lane_of(PIN)).paused == "token_refused: Authentication failed. (code 2)"
        await town.save(replace(PIN, secrets={"conversion_token": "pina_2"}))
        await town.arrived(PIN)
    assert (await town.lane_of(PIN)).paused == ""
    assert town.sender.batches == [["e-0"]] * 3
    assert (await town.books()).delivered == 1


@in_loop
async def test_a_change_elsewhere_does_not_disturb_a_worker():
    town = Town()
    async with town.dispatching():
        tasks = {task for task in asyncio.all_tasks() if task.get_name().startswith("lane ")}
        await town.save(PIN, OTHER)
        assert tasks < {task for task in asyncio.all_tasks() if task.get_name().startswith("lane ")}


@in_loop
async def test_a_destination_that_is_switched_off_keeps_its_queue_for_later():
    town = Town(destinations=(PIN, OTHER))
    async with town.dispatching():
        await town.save(replace(PIN, enabled=False), OTHER)
        await town.collect(*orders(2))
        await town.arrived(OTHER)
        assert (await town.lane_of(PIN)).position == 0
        assert len(town.sender.batches) == 1
        await town.save(PIN, OTHER)
        await town.arrived(PIN)
    assert town.sender.batches == [["e-0", "e-1"]] * 2


@in_loop
async def test_a_worker_that_fails_begins_again_from_what_is_recorded():
    town = Town(lanes=FailingLanes(failures=3))
    async with town.dispatching():
        await town.collect(*orders(2))
        await town.arrived(PIN)
    assert town.sender.batches == [["e-0", "e-1"]] * 4
    books = await town.books()
    assert (books.delivered, books.duplicates, books.waiting) == (2, 0, 0)


@in_loop
async def test_a_destination_that_cannot_be_started_leaves_the_others_alone():
    """A preset that this version does not know: its events wait."""
    unknown = replace(OTHER, preset="of the future")
    town = Town(destinations=(unknown, PIN))
    async with town.dispatching():
        await town.collect(*orders(2))
        await town.arrived(PIN)
    assert town.sender.batches == [["e-0", "e-1"]]


@in_loop
async def test_destinations_of_one_ad_account_share_its_rate():
    town = Town(destinations=(PIN, replace(OTHER, settings=PIN.settings)))
    per_minute = KINDS.router(PIN, (SHOP,)).connection.rate_per_minute
    async with town.dispatching():
        for number in range(400):
            await town.collect(order(f"e-{number}"))
            await town.arrived(PIN, *town.destinations[1:])
    burst = per_minute / 10
    assert len(town.sender.batches) == 800
    assert town.clock.now() - NOW == pytest.approx((800 - burst) / per_minute * 60, abs=0.1)


@in_loop
async def test_everything_ends_when_told_to():
    town = Town(destinations=(PIN, OTHER))
    async with town.dispatching():
        assert len(asyncio.all_tasks()) > 2
    assert asyncio.all_tasks() == {asyncio.current_task()}

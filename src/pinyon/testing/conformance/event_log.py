"""What every event log does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager

import pytest

from pinyon.domain.books import SourceTotals
from pinyon.domain.chunk import KEY_BYTES, Chunk, ReceivedEvent, Rejection, Submission, event_key
from pinyon.domain.errors import Unavailable
from pinyon.domain.lane import Place
from pinyon.ports.event_log import EventLog
from pinyon.testing.running import in_loop

#: Opens the log under test; each time the same one.
OpenLog = Callable[[], AbstractAsyncContextManager[EventLog]]


def submission(*message_ids: str, source: str = "src_shop", received_at: float = 1_000.0) -> Submission:
    """A submission of track events with these ids."""
    events = [ReceivedEvent("track", name, b'{"messageId":"%s"}' % name.encode()) for name in message_ids]
    return Submission(source, received_at, None, "segment", None, None, events)


def rejection(
    code: str, *, message_id: str | None = None, source: str = "src_shop", received_at: float = 1_000.0
) -> Rejection:
    return Rejection(source, received_at, message_id, code, "what was wrong", b'{"type":"trakc"}')


class OneKey(Submission, array_like=True, frozen=True):
    """A submission all of whose events share a key, as two ids in 2**64 do."""

    def keys(self) -> bytes:
        return b"SAMEKEY!" * len(self.events)


def ids(chunks: Iterable[Chunk]) -> list[str]:
    """The message ids in reading order."""
    return [event.message_id for chunk in chunks for submission in chunk.submissions for event in submission.events]


async def everything(log: EventLog, workspace_id: str = "ws_a") -> list[Chunk]:
    return await log.read(workspace_id, after=0, through=await log.head())


class EventLogConformance:
    """Subclass it, and give the fixture ``open_log``."""

    @pytest.fixture
    def open_log(self) -> OpenLog:
        raise NotImplementedError

    @in_loop
    async def test_a_new_log_is_empty(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            assert await log.head() == 0
            assert await log.headers("ws_a", after=0, limit=10) == []
            assert await log.read("ws_a", after=0, through=99) == []
            assert await log.totals("ws_a") == {}
            assert await log.unread("ws_a", after=0) == {}
            assert await log.find("ws_a", bytes(KEY_BYTES)) == []
            assert await log.rejections("ws_a") == []
            assert await log.since("ws_a", 0.0) == 0
            facts = await log.facts()
            assert (facts.chunks, facts.first_seq, facts.last_seq) == (0, 0, 0)

    @in_loop
    async def test_what_is_read_is_what_was_appended(self, open_log: OpenLog) -> None:
        events = [
            ReceivedEvent("track", "m-1", b'{"event":"\xc3\x89t\xc3\xa9"}'),
            ReceivedEvent("identify", "m-2 \N{SNOWMAN}", b"{}"),
        ]
        sent = Submission("src_shop", 1_000.25, 999.5, "posthog", "2001:db8::1", "agent/1.0", events)
        async with open_log() as log:
            await log.append("ws_a", sent)
            [chunk] = await everything(log)
            assert chunk.submissions == [sent]
            assert chunk.header.workspace_id == "ws_a"
            assert chunk.header.counts == {"src_shop": 2}
            assert (chunk.header.first_received_at, chunk.header.last_received_at) == (1_000.25, 1_000.25)
            assert chunk.header.keys == event_key("src_shop", "m-1") + event_key("src_shop", "m-2 \N{SNOWMAN}")
            assert [chunk.header] == await log.headers("ws_a", after=0, limit=10)
            assert await log.head() == chunk.header.seq > 0

    @in_loop
    async def test_order_is_the_order_of_commits(self, open_log: OpenLog) -> None:
        names = [f"m-{number}" for number in range(20)]
        async with open_log() as log:
            for name in names:
                await log.append("ws_a", submission(name))
            chunks = await everything(log)
            assert ids(chunks) == names
            seqs = [chunk.header.seq for chunk in chunks]
            assert seqs == sorted(set(seqs))

    @in_loop
    async def test_hundreds_of_tasks_append_at_once(self, open_log: OpenLog) -> None:
        sent = [submission(f"m-{n}-a", f"m-{n}-b", source=f"src_{n % 3}") for n in range(300)]
        async with open_log() as log:
            await asyncio.gather(*(log.append("ws_a", one) for one in sent))
            chunks = await everything(log)
            stored = [one for chunk in chunks for one in chunk.submissions]
            assert sorted(ids(chunks)) == sorted(event.message_id for one in sent for event in one.events)
            assert all(one in sent for one in stored)
            for chunk in chunks:
                assert chunk.header.keys == b"".join(one.keys() for one in chunk.submissions)
                assert chunk.header.events == sum(chunk.header.counts.values())
            assert await log.totals("ws_a") == {f"src_{n}": SourceTotals(200, 0) for n in range(3)}

    @in_loop
    async def test_a_large_submission_keeps_its_order(self, open_log: OpenLog) -> None:
        names = [f"m-{number}" for number in range(2_500)]
        async with open_log() as log:
            await log.append("ws_a", submission(*names))
            assert ids(await everything(log)) == names

    @in_loop
    async def test_workspaces_are_apart(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            await asyncio.gather(
                log.append("ws_a", submission("m-1"), [rejection("bad_a")]),
                log.append("ws_b", submission("m-2"), [rejection("bad_b")]),
                log.append("ws_a", submission("m-3")),
            )
            assert sorted(ids(await everything(log, "ws_a"))) == ["m-1", "m-3"]
            assert ids(await everything(log, "ws_b")) == ["m-2"]
            assert {header.workspace_id for header in await log.headers("ws_b", after=0, limit=9)} == {"ws_b"}
            assert await log.totals("ws_b") == {"src_shop": SourceTotals(1, 1)}
            assert await log.unread("ws_a", after=0) == {"src_shop": 2}
            assert await log.find("ws_b", event_key("src_shop", "m-1")) == []
            assert [one.code for one in await log.rejections("ws_a")] == ["bad_a"]
            assert await log.forget("ws_b", through=await log.head(), received_before=9_999.0) == 1
            assert sorted(ids(await everything(log, "ws_a"))) == ["m-1", "m-3"]

    @in_loop
    async def test_a_range_is_read(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            for name in ("m-1", "m-2", "m-3", "m-4"):
                await log.append("ws_a", submission(name))
            seqs = [header.seq for header in await log.headers("ws_a", after=0, limit=10)]
            assert ids(await log.read("ws_a", after=seqs[0], through=seqs[2])) == ["m-2", "m-3"]
            assert await log.read("ws_a", after=seqs[3], through=seqs[3] + 10) == []
            assert [header.seq for header in await log.headers("ws_a", after=seqs[0], limit=2)] == seqs[1:3]

    @in_loop
    async def test_wait_sees_what_is_there_and_what_comes(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            assert not await log.wait(after=0, timeout=0.0)
            assert not await log.wait(after=0, timeout=0.02)
            waiting = [asyncio.create_task(log.wait(after=0, timeout=60.0)) for _ in range(3)]
            await asyncio.sleep(0)  # lets them begin
            await log.append("ws_b", submission("m-1"))
            assert await asyncio.gather(*waiting) == [True, True, True]
            assert await log.wait(after=0, timeout=0.0)
            assert not await log.wait(after=await log.head(), timeout=0.0)

    @in_loop
    async def test_since_is_before_the_first_chunk_of_that_time(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            for received_at in (10.0, 30.0, 20.0, 40.0):  # a clock may be set back
                await log.append("ws_a", submission(f"m-{received_at}", received_at=received_at))
            seqs = [header.seq for header in await log.headers("ws_a", after=0, limit=10)]
            assert await log.since("ws_a", 5.0) == seqs[0] - 1
            assert await log.since("ws_a", 10.0) == seqs[0] - 1
            assert await log.since("ws_a", 15.0) == seqs[1] - 1
            assert await log.since("ws_a", 35.0) == seqs[3] - 1
            assert await log.since("ws_a", 41.0) == await log.head()

    @in_loop
    async def test_unread_counts_by_source(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            await log.append("ws_a", submission("m-1", "m-2", source="src_a"))
            middle = await log.head()
            await log.append("ws_a", submission("m-3", source="src_b"))
            await log.append("ws_a", submission("m-4", "m-5", "m-6", source="src_a"))
            assert await log.unread("ws_a", after=0) == {"src_a": 5, "src_b": 1}
            assert await log.unread("ws_a", after=middle) == {"src_a": 3, "src_b": 1}
            assert await log.unread("ws_a", after=await log.head()) == {}

    @in_loop
    async def test_totals_count_events_and_invalid_members(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            await log.append("ws_a", submission("m-1", source="src_a"), [rejection("bad", source="src_a")] * 2)
            await log.append("ws_a", None, [rejection("bad", source="src_b")])
            await log.append("ws_a", submission("m-2", source="src_a"))
            await log.append("ws_a", submission(source="src_a"))
            await log.append("ws_a", None)
            assert await log.totals("ws_a") == {"src_a": SourceTotals(2, 2), "src_b": SourceTotals(0, 1)}
            assert sum(header.events for header in await log.headers("ws_a", after=0, limit=10)) == 2

    @in_loop
    async def test_totals_through_a_chunk_leave_out_the_later_ones(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            await log.append("ws_a", submission("m-1", "m-2", source="src_a"), [rejection("bad", source="src_a")])
            middle = await log.head()
            await log.append("ws_a", submission("m-3", source="src_a"), [rejection("bad", source="src_a")])
            await log.append("ws_b", submission("m-4", source="src_a"))
            await log.append("ws_a", submission("m-5", source="src_b"))
            assert await log.totals("ws_a", through=middle) == {
                "src_a": SourceTotals(2, 2),
                "src_b": SourceTotals(0, 0),
            }
            assert await log.totals("ws_a", through=0) == {"src_a": SourceTotals(0, 2), "src_b": SourceTotals(0, 0)}
            await log.forget("ws_a", through=middle, received_before=9_999.0)
            assert await log.totals("ws_a", through=middle + 1) == {
                "src_a": SourceTotals(3, 2),
                "src_b": SourceTotals(0, 0),
            }
            assert await log.totals("ws_a", through=await log.head()) == await log.totals("ws_a")

    @in_loop
    async def test_find_gives_every_place_of_a_key(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            await log.append("ws_a", submission("m-1", "m-2"))
            await log.append("ws_a", submission("m-3", "m-2", "m-2"))
            first, second = [header.seq for header in await log.headers("ws_a", after=0, limit=10)]
            places = await log.find("ws_a", event_key("src_shop", "m-2"))
            assert places == [Place(first, 1), Place(second, 1), Place(second, 2)]
            assert await log.find("ws_a", event_key("src_other", "m-2")) == []

    @in_loop
    async def test_find_reads_whole_keys(self, open_log: OpenLog) -> None:
        """Bytes that straddle two keys are not a key."""
        async with open_log() as log:
            await log.append("ws_a", submission("m-1", "m-2"))
            [header] = await log.headers("ws_a", after=0, limit=10)
            assert await log.find("ws_a", header.keys[4:12]) == []

    @in_loop
    async def test_different_ids_may_share_a_key(self, open_log: OpenLog) -> None:
        plain = submission("m-1", "m-2")
        async with open_log() as log:
            await log.append("ws_a", OneKey(*(getattr(plain, name) for name in plain.__struct_fields__)))
            [chunk] = await everything(log)
            seq = chunk.header.seq
            assert ids([chunk]) == ["m-1", "m-2"]
            assert await log.find("ws_a", b"SAMEKEY!") == [Place(seq, 0), Place(seq, 1)]

    @in_loop
    async def test_rejections_are_kept_newest_first(self, open_log: OpenLog) -> None:
        kept = [rejection(f"bad_{n}", message_id=f"m-{n % 2}", received_at=n) for n in range(4)]
        body = Rejection("src_shop", 9.0, None, "not_json", "line 1", b'\xff\x00{"email":"ada@example.org"')
        async with open_log() as log:
            for one in kept:
                await log.append("ws_a", None, [one])
            await log.append("ws_a", submission("m-5"), [body])
            assert await log.rejections("ws_a") == [body, *reversed(kept)]
            assert await log.rejections("ws_a", limit=2) == [body, kept[3]]
            assert await log.rejections("ws_a", message_id="m-1") == [kept[3], kept[1]]
            assert await log.rejections("ws_a", message_id="m-5") == []

    @in_loop
    async def test_forget_deletes_what_is_passed_and_old(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            for name, received_at in (("m-1", 10.0), ("m-2", 50.0), ("m-3", 20.0), ("m-4", 30.0)):
                await log.append("ws_a", submission(name, received_at=received_at))
            seqs = [header.seq for header in await log.headers("ws_a", after=0, limit=10)]
            assert await log.forget("ws_a", through=seqs[2], received_before=40.0) == 2
            assert ids(await everything(log)) == ["m-2", "m-4"]
            assert [header.seq for header in await log.headers("ws_a", after=0, limit=9)] == [seqs[1], seqs[3]]
            assert await log.find("ws_a", event_key("src_shop", "m-1")) == []
            facts = await log.facts()
            assert (facts.chunks, facts.first_seq, facts.last_seq) == (2, seqs[1], seqs[3])
            assert await log.forget("ws_a", through=seqs[2], received_before=40.0) == 0

    @in_loop
    async def test_forget_spares_what_came_at_that_time(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            await log.append("ws_a", submission("m-1", received_at=10.0))
            assert await log.forget("ws_a", through=await log.head(), received_before=10.0) == 0

    @in_loop
    async def test_forget_deletes_old_rejections(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            await log.append("ws_a", None, [rejection("old", received_at=10.0)])
            await log.append("ws_a", None, [rejection("new", received_at=20.0)])
            assert await log.forget("ws_a", through=0, received_before=20.0) == 0
            assert [one.code for one in await log.rejections("ws_a")] == ["new"]

    @in_loop
    async def test_seq_never_goes_back(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            for number in range(300):
                await log.append("ws_a", submission(f"m-{number}"))
            head = await log.head()
            assert await log.forget("ws_a", through=head, received_before=9_999.0) == 300
            assert await log.head() == head
            assert await log.totals("ws_a") == {"src_shop": SourceTotals(300, 0)}
            facts = await log.facts()
            assert (facts.chunks, facts.first_seq, facts.last_seq) == (0, 0, head)
            await log.append("ws_a", submission("m-new"))
            [header] = await log.headers("ws_a", after=0, limit=10)
            assert header.seq == await log.head() > head

    @in_loop
    async def test_a_closed_log_refuses(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            await log.append("ws_a", submission("m-1"))
            await log.close()
            with pytest.raises(Unavailable) as caught:
                await log.append("ws_a", submission("m-2"))
            assert caught.value.code == "log_closed"


class DurableEventLogConformance(EventLogConformance):
    """What a log does that outlives its process, besides."""

    @in_loop
    async def test_all_is_there_after_reopening(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            for number in range(5):
                await log.append("ws_a", submission(f"m-{number}"), [rejection(f"bad_{number}", message_id="r")])
            await log.append("ws_b", submission("m-b"))
            before = await everything(log), await log.rejections("ws_a"), await log.facts()
        async with open_log() as log:
            chunks, rejections, facts = before
            assert await everything(log) == chunks
            assert await log.rejections("ws_a", message_id="r") == rejections
            assert await log.head() == facts.last_seq
            assert (await log.facts()).chunks == facts.chunks
            assert await log.totals("ws_a") == {"src_shop": SourceTotals(5, 5)}
            assert await log.find("ws_a", event_key("src_shop", "m-0")) == [Place(chunks[0].header.seq, 0)]
            assert await log.wait(after=0, timeout=0.0)
            await log.append("ws_a", submission("m-5"))
            assert ids(await everything(log)) == [f"m-{number}" for number in range(6)]

    @in_loop
    async def test_seq_never_goes_back_after_reopening(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            await log.append("ws_a", submission("m-1"))
            head = await log.head()
            await log.forget("ws_a", through=head, received_before=9_999.0)
        async with open_log() as log:
            assert await log.head() == head
            await log.append("ws_a", submission("m-2"))
            assert await log.head() > head

    @in_loop
    async def test_closing_commits_what_is_queued(self, open_log: OpenLog) -> None:
        async with open_log() as log:
            appending = [asyncio.create_task(log.append("ws_a", submission(f"m-{n}"))) for n in range(200)]
            await asyncio.sleep(0)  # lets them queue
            await log.close()
            await asyncio.gather(*appending)
        async with open_log() as log:
            assert sorted(ids(await everything(log))) == sorted(f"m-{n}" for n in range(200))

"""Deduplication against a model that compares every event with every earlier one."""

from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pinyon.adapters.memory import MemoryEventLog
from pinyon.domain.chunk import ReceivedEvent, Submission
from pinyon.flows.dedup import Deduplicator, SeenKeys
from pinyon.testing.running import in_loop

NOW = 1_790_000_000.0
WINDOW = 100.0


def submission(ids, source="src_a", at=NOW):
    return Submission(source, at, None, "segment", None, None, [ReceivedEvent("track", id_, b"{}") for id_ in ids])


class CollidingLog(MemoryEventLog):
    """Has three deduplication keys in all, so that different ids share one."""

    async def append(self, workspace_id, submission, rejections=()):
        await super().append(workspace_id, submission, rejections)
        chunk = self._chunks[-1]
        keys = b"".join(
            bytes([blake2b(event.message_id.encode(), digest_size=1).digest()[0] % 3]) * 8
            for event in submission.events
        )
        self._chunks[-1] = replace(chunk, header=replace(chunk.header, keys=keys))


def expected(chunks, window):
    """For each chunk (by seq) the indexes of events of which an earlier event within the window has source and id."""
    earlier, marks = [], {}
    for chunk in chunks:
        index, marked = 0, set()
        for each in chunk.submissions:
            for event in each.events:
                own = (each.source_id, event.message_id)
                if any(id_ == own and at >= each.received_at - window for id_, at in earlier):
                    marked.add(index)
                earlier.append((own, each.received_at))
                index += 1
        marks[chunk.header.seq] = marked
    return marks


class Reader:
    """A lane, as far as deduplication sees it."""

    def __init__(self, name):
        self.name = name
        self.position = 0

    async def read(self, log, deduplicator, count):
        """Mark the next ``count`` chunks; by seq."""
        chunks = (await log.read("ws", after=self.position, through=await log.head()))[:count]
        if not chunks:
            return {}
        self.position = chunks[-1].header.seq
        marked = await deduplicator.mark(chunks, self.name)
        return {chunk.header.seq: set(indexes) for chunk, indexes in zip(chunks, marked, strict=True)}


IDS = st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=4)
APPENDS = st.tuples(st.just("append"), st.sampled_from(["src_a", "src_b"]), IDS, st.sampled_from([0, 1, 30, 70, 150]))
READS = st.tuples(st.just("read"), st.integers(0, 2), st.integers(1, 5))
STEPS = st.lists(
    APPENDS | APPENDS | READS | READS | st.just(("restart",)) | st.tuples(st.just("leave"), st.integers(0, 2)),
    max_size=40,
)


def a(gap, *ids):
    return ("append", "src_a", list(ids), gap)


@settings(max_examples=300, deadline=None)
@given(STEPS, st.sampled_from([MemoryEventLog, CollidingLog]))
# The lane at the head is the first to ask, so that only the newest window is known when the one behind asks.
@example([a(0, "a"), a(0, "a"), a(150, "b"), ("read", 0, 5), ("restart",), a(0, "c"), ("read", 0, 5)], MemoryEventLog)
@example([a(0, "a"), a(70, "a"), a(70, "a"), ("read", 0, 1), ("read", 0, 1), ("read", 0, 1)], MemoryEventLog)
@example([a(0, "a", "a", "a"), ("read", 0, 1)], MemoryEventLog)
@in_loop
async def test_any_lanes_over_any_stream(steps, kind):
    log, now = kind(), NOW
    deduplicator = Deduplicator(log, "ws", WINDOW)
    readers = [Reader(f"lane_{number}") for number in range(3)]
    found = [{} for _ in readers]

    async def read(number, count):
        found[number] |= await readers[number].read(log, deduplicator, count)

    for step in steps:
        match step:
            case ("append", source, ids, gap):
                now += gap
                await log.append("ws", submission(ids, source, now))
            case ("read", number, count):
                await read(number, count)
            case ("restart",):
                deduplicator = Deduplicator(log, "ws", WINDOW)
            case ("leave", number):
                deduplicator.leave(readers[number].name)
    for number in range(3):
        while readers[number].position < await log.head():
            await read(number, 3)
    marks = expected(await log.read("ws", after=0, through=await log.head()), WINDOW)
    assert found == [marks] * 3


@in_loop
async def test_the_lane_behind_finds_what_the_lane_at_the_head_has_no_need_of():
    log = MemoryEventLog()
    for at, id_ in ((0, "a"), (10, "a"), (5_000, "b"), (5_010, "b")):
        await log.append("ws", submission([id_], at=NOW + at))
    deduplicator = Deduplicator(log, "ws", WINDOW)
    ahead, behind = Reader("ahead"), Reader("behind")
    ahead.position, behind.position = 3, 1
    assert await ahead.read(log, deduplicator, 9) == {4: {0}}
    assert await behind.read(log, deduplicator, 9) == {2: {0}, 3: set(), 4: {0}}


@in_loop
async def test_other_workspaces_and_sources_are_no_concern():
    log = MemoryEventLog()
    await log.append("other", submission(["a"]))
    await log.append("ws", submission(["a"], source="src_b"))
    await log.append("ws", submission(["a"]))
    assert await Reader("lane").read(log, Deduplicator(log, "ws", WINDOW), 9) == {2: set(), 3: set()}


@in_loop
async def test_a_key_whose_chunk_is_gone_still_counts():
    log = MemoryEventLog()
    deduplicator, reader = Deduplicator(log, "ws", WINDOW), Reader("lane")
    await log.append("ws", submission(["a"]))
    await reader.read(log, deduplicator, 1)
    await log.forget("ws", through=1, received_before=NOW + 1)
    await log.append("ws", submission(["b", "a"], at=NOW + 1))
    assert await reader.read(log, deduplicator, 1) == {2: {1}}


@in_loop
async def test_memory_holds_no_more_than_the_window_needs():
    log = MemoryEventLog()
    deduplicator, reader = Deduplicator(log, "ws", WINDOW), Reader("lane")
    for number in range(400):
        await log.append("ws", submission([f"id_{number}"], at=NOW + number * 10))
        await reader.read(log, deduplicator, 1)
        assert len(deduplicator) < 60


@in_loop
async def test_a_lane_that_stands_still_keeps_what_it_needs_until_it_leaves():
    log = MemoryEventLog()
    deduplicator, ahead, behind = Deduplicator(log, "ws", WINDOW), Reader("ahead"), Reader("behind")
    for number in range(100):
        await log.append("ws", submission([f"id_{number}", "same"], at=NOW + number * 20))
        await ahead.read(log, deduplicator, 1)
        if number == 0:
            await behind.read(log, deduplicator, 1)
    assert len(deduplicator) == 200
    deduplicator.leave("behind")
    await log.append("ws", submission(["last"], at=NOW + 2_000))
    await ahead.read(log, deduplicator, 1)
    assert len(deduplicator) < 60
    marks = await behind.read(log, deduplicator, 1_000)
    assert list(marks.values()) == [{1}] * 99 + [set()]


KEYS = st.integers(0, 12)
ADDITIONS = st.lists(st.tuples(st.lists(KEYS, max_size=6), st.integers(0, 9)), max_size=20)


@given(ADDITIONS, st.lists(KEYS, max_size=8))
def test_seen_keys_finds_every_occurrence(additions, wanted):
    seen, model = SeenKeys(), []
    for seq, (keys, newest) in enumerate(additions):
        seen.add(np.array(keys, np.uint64), np.full(len(keys), seq, np.uint32), float(newest))
        model += [(key, seq) for key in keys]
    found = seen.suspects(np.array(wanted, np.uint64))
    assert sorted(found) == sorted(
        (index, seq) for index, key in enumerate(wanted) for known, seq in model if known == key
    )
    assert len(seen) == len(model)


@given(ADDITIONS, st.integers(0, 10))
def test_seen_keys_forgets_nothing_that_is_new_enough(additions, before):
    seen, newer = SeenKeys(), []
    for seq, (keys, newest) in enumerate(additions):
        seen.add(np.array(keys, np.uint64), np.full(len(keys), seq, np.uint32), float(newest))
        newer += [(key, seq) for key in keys if newest >= before]
    seen.forget(float(before))
    left = seen.suspects(np.array(range(13), np.uint64))
    assert set(newer) <= set(left)


@pytest.mark.parametrize("key", [0, 1, 2**63, 2**64 - 1])
def test_keys_are_64_bits_without_a_sign(key):
    seen = SeenKeys()
    seen.add(np.array([key, 5], np.uint64), np.array([1, 2], np.uint32), 0.0)
    assert seen.suspects(np.array([key], np.uint64)) == [(0, 1)]

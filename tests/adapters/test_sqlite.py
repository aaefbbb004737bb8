"""The event log in SQLite keeps to the port, and to what its file promises."""

from __future__ import annotations

import asyncio
import resource
import signal
import sqlite3
import string
import sys
import threading
from contextlib import asynccontextmanager, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinyon.adapters.sqlite import SqliteEventLog, codec
from pinyon.adapters.sqlite.checkpoints import Checkpointer
from pinyon.adapters.vault import Keyring
from pinyon.domain.books import SourceTotals
from pinyon.domain.chunk import ReceivedEvent, Submission
from pinyon.domain.errors import PinyonError, RequestRefused, StoreDamaged, Unavailable
from pinyon.testing.conformance.event_log import (
    DurableEventLogConformance,
    everything,
    ids,
    rejection,
    submission,
)
from pinyon.testing.running import in_loop

KEYRING = Keyring(bytes(range(32)))


@asynccontextmanager
async def opened(path, keyring=KEYRING, **options):
    log = SqliteEventLog.open(path, keyring, **options)
    try:
        yield log
    finally:
        await log.close()


@contextmanager
def editing(path):
    """Another connection to the file."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def holding(path):
    """Keeps the writer from writing."""
    with editing(path) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


@contextmanager
def files_no_larger_than(size):
    """The system refuses to let a file grow beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class Commits:
    """A telemetry that keeps what it is told of commits."""

    def __init__(self):
        self.committed_events = []

    def committed(self, *, events, payload_bytes, seconds, sync_seconds):
        assert seconds >= sync_seconds > 0
        self.committed_events.append((events, payload_bytes))


class TestEventLog(DurableEventLogConformance):
    @pytest.fixture
    def open_log(self, tmp_path):
        return lambda: opened(tmp_path / "log.db")


class TestCommits:
    @in_loop
    async def test_a_commit_is_cut_into_chunks_between_submissions(self, tmp_path):
        sent = [submission(*(f"m-{n}-{k}" for k in range(300))) for n in range(20)]
        telemetry = Commits()
        async with opened(tmp_path / "log.db", telemetry=telemetry) as log:
            with holding(tmp_path / "log.db"):
                appending = [asyncio.create_task(log.append("ws_a", one)) for one in sent]
                await asyncio.sleep(0)
            await asyncio.gather(*appending)
            chunks = await everything(log)
            assert max(chunk.header.events for chunk in chunks) == 900
            assert len(chunks) <= 8  # of one commit or two
            assert [one for chunk in chunks for one in chunk.submissions] == sent
        assert len(telemetry.committed_events) <= 2  # what came first, then what queued meanwhile
        assert sum(events for events, _ in telemetry.committed_events) == 6_000
        size = sum(len(event.body) for one in sent for event in one.events)
        assert 0 < sum(stored for _, stored in telemetry.committed_events) < size, "bytes as stored: compressed"

    @in_loop
    async def test_a_text_that_cannot_be_stored_fails_alone(self, tmp_path):
        """A lone surrogate has no UTF-8 form; who shares a commit with it must not suffer."""
        async with opened(tmp_path / "log.db") as log:
            with holding(tmp_path / "log.db"):
                good = [asyncio.create_task(log.append("ws_a", submission(f"m-{n}"))) for n in range(10)]
                good.append(asyncio.create_task(log.append("ws_a", submission("m-a"), [rejection("bad")])))
                events = [ReceivedEvent("track", "m-\ud800", b"{}")]
                lone = Submission("src_shop", 1.0, None, "segment", None, None, events)
                bad = asyncio.create_task(log.append("ws_a", lone, [rejection("bad")]))
                good += [asyncio.create_task(log.append("ws_a", submission(f"m-{n}"))) for n in range(10, 20)]
                await asyncio.sleep(0)
            with pytest.raises(RequestRefused, match="surrogate"):
                await bad
            await asyncio.gather(*good)
            assert sorted(ids(await everything(log))) == sorted(["m-a", *(f"m-{n}" for n in range(20))])
            assert await log.totals("ws_a") == {"src_shop": SourceTotals(21, 1)}

    @in_loop
    async def test_appends_of_several_event_loops_share_the_writer(self, tmp_path):
        async with opened(tmp_path / "log.db") as log:
            threads = [
                threading.Thread(target=asyncio.run, args=(log.append("ws_a", submission(f"m-{n}")),)) for n in range(8)
            ]
            for thread in threads:
                thread.start()
            await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))
            assert sorted(ids(await everything(log))) == [f"m-{n}" for n in range(8)]

    @in_loop
    async def test_who_has_gone_does_not_disturb_the_others(self, tmp_path):
        async with opened(tmp_path / "log.db") as log:
            with holding(tmp_path / "log.db"):
                appending = [asyncio.create_task(log.append("ws_a", submission(f"m-{n}"))) for n in range(3)]
                await asyncio.sleep(0)
                appending[1].cancel()
            results = await asyncio.gather(*appending, return_exceptions=True)
            assert [results[0], results[2]] == [None, None]
            assert ids(await everything(log)) == ["m-0", "m-1", "m-2"]


class TestTrouble:
    @in_loop
    async def test_a_full_queue_refuses(self, tmp_path):
        async with opened(tmp_path / "log.db", max_queue_bytes=1_000) as log:
            large = Submission(
                "src_shop", 1.0, None, "segment", None, None, [ReceivedEvent("track", "m-1", b"x" * 5_000)]
            )
            with holding(tmp_path / "log.db"):
                first = asyncio.create_task(log.append("ws_a", large))  # one always fits
                await asyncio.sleep(0)
                with pytest.raises(Unavailable) as caught:
                    await log.append("ws_a", submission("m-2"))
                assert (caught.value.code, caught.value.status) == ("ingest_queue_full", 503)
            await first
            await log.append("ws_a", submission("m-3"))
            assert ids(await everything(log)) == ["m-1", "m-3"]

    @in_loop
    async def test_a_full_log_refuses_until_there_is_room(self, tmp_path):
        async with opened(tmp_path / "log.db", max_bytes=1 << 20) as log:
            stored = 0
            with pytest.raises(Unavailable) as caught:  # noqa: PT012 - it is not known which append fails
                while stored < 1_000:
                    await log.append("ws_a", submission(*(f"m-{stored}-{k}" for k in range(500))))
                    stored += 1
            assert caught.value.code == "disk_full"
            assert stored > 1
            assert await log.totals("ws_a") == {"src_shop": SourceTotals(500 * stored, 0)}
            headers = await log.headers("ws_a", after=0, limit=9_999)
            assert [header.events for header in headers] == [500] * stored
            assert await log.forget("ws_a", through=await log.head(), received_before=9_999.0) == stored
            await log.append("ws_a", submission("m-new"))
            assert ids(await everything(log)) == ["m-new"]

    @in_loop
    async def test_a_failing_disk_fails_its_commits_and_no_others(self, tmp_path):
        async with opened(tmp_path / "log.db") as log:
            await log.append("ws_a", submission("m-1"))
            with files_no_larger_than(0):
                for workspace in ("ws_a", "ws_new"):  # the key of a new workspace is lost with the commit
                    with pytest.raises(Unavailable) as caught:
                        await log.append(workspace, submission("m-2"), [rejection("bad")])
                    assert caught.value.code == "log_unavailable"
            await log.append("ws_a", submission("m-3"))
            await log.append("ws_new", submission("m-4"))
            assert ids(await everything(log)) == ["m-1", "m-3"]
        async with opened(tmp_path / "log.db") as log:
            assert ids(await everything(log)) == ["m-1", "m-3"]
            assert ids(await everything(log, "ws_new")) == ["m-4"]
            assert await log.totals("ws_a") == {"src_shop": SourceTotals(2, 0)}

    @in_loop
    async def test_a_failing_disk_does_not_stop_the_checkpoints(self, tmp_path):
        path = tmp_path / "log.db"
        async with opened(path) as log:
            await log.append("ws_a", submission("m-1"))
            checkpointer = Checkpointer(path, threading.Lock(), max_wal_bytes=0)
            with files_no_larger_than(0), pytest.raises(sqlite3.OperationalError):
                checkpointer.round()
            checkpointer.round()
            assert path.with_name("log.db-wal").stat().st_size == 0
            assert ids(await everything(log)) == ["m-1"]

    @in_loop
    async def test_the_write_ahead_log_is_emptied_when_readers_allow(self, tmp_path):
        path = tmp_path / "log.db"
        wal = path.with_name("log.db-wal")
        async with opened(path) as log:
            checkpointer = Checkpointer(path, threading.Lock(), max_wal_bytes=0)
            await log.append("ws_a", submission("m-1"))
            with editing(path) as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM chunks").fetchone()
                await log.append("ws_a", submission("m-2"))
                checkpointer.round()
                assert wal.stat().st_size > 0
            checkpointer.round()
            assert wal.stat().st_size == 0
            await log.append("ws_a", submission("m-3"))
            assert ids(await everything(log)) == ["m-1", "m-2", "m-3"]


class TestProcesses:
    @in_loop
    async def test_one_process_writes_to_a_folder(self, tmp_path):
        async with opened(tmp_path / "log.db"):
            with pytest.raises(PinyonError, match="Another process") as caught:
                SqliteEventLog.open(tmp_path / "log.db", KEYRING)
            assert caught.value.code == "store_locked"
        async with opened(tmp_path / "log.db"):
            pass

    @in_loop
    async def test_a_reader_does_not_write(self, tmp_path):
        with pytest.raises(Unavailable) as caught:
            SqliteEventLog.open(tmp_path / "log.db", KEYRING, writable=False)
        assert caught.value.code == "log_missing"
        async with opened(tmp_path / "log.db") as writer:
            await writer.append("ws_a", submission("m-1"))
            async with opened(tmp_path / "log.db", writable=False) as reader:
                assert ids(await everything(reader)) == ["m-1"]
                for call in (
                    reader.append("ws_a", submission("m-2")),
                    reader.forget("ws_a", through=9, received_before=9_999.0),
                ):
                    with pytest.raises(Unavailable) as caught:
                        await call
                    assert caught.value.code == "log_read_only"

    @in_loop
    async def test_another_process_reads_while_this_one_writes(self, tmp_path):
        path = tmp_path / "log.db"
        async with opened(path) as log:
            await log.append("ws_a", submission("m-0"))
            reader = await process(READER, path)
            assert await reader.stdout.readline() == b"m-0\n"
            for number in range(1, 6):
                await log.append("ws_a", submission(f"m-{number}"))
                assert await reader.stdout.readline() == f"m-{number}\n".encode()
            await log.append("ws_a", submission("end"))
            assert await reader.wait() == 0

    @in_loop
    async def test_what_was_acknowledged_survives_a_kill(self, tmp_path):
        path = tmp_path / "log.db"
        for turn in range(3):
            writer = await process(WRITER, path, str(turn))
            acknowledged = [(await writer.stdout.readline()).decode().strip() for _ in range(50 * (turn + 1))]
            writer.send_signal(signal.SIGKILL)
            acknowledged += (await writer.stdout.read()).decode().split("\n")[:-1]
            assert await writer.wait() == -signal.SIGKILL
            async with opened(path) as log:
                stored = ids(await everything(log))
                assert set(acknowledged) <= set(stored)
                assert len(stored) == len(set(stored))
                received = (await log.totals("ws_a"))["src_shop"].received
                assert received == len(stored)


class TestFile:
    @in_loop
    async def test_a_damaged_chunk_is_named(self, tmp_path):
        path = tmp_path / "log.db"
        async with opened(path) as log:
            for name in ("m-1", "m-2", "m-3"):
                await log.append("ws_a", submission(name))
            seqs = [header.seq for header in await log.headers("ws_a", after=0, limit=9)]
            with editing(path) as db:
                sealed = bytearray(db.execute("SELECT sealed FROM payloads WHERE seq = ?", seqs[1:2]).fetchone()[0])
                sealed[20] ^= 1
                db.execute("UPDATE payloads SET sealed = ? WHERE seq = ?", (bytes(sealed), seqs[1]))
            assert ids(await log.read("ws_a", after=0, through=seqs[0])) == ["m-1"]
            assert ids(await log.read("ws_a", after=seqs[1], through=seqs[2])) == ["m-3"]
            with pytest.raises(StoreDamaged, match=rf"log\.db: chunk {seqs[1]} "):
                await everything(log)
        with pytest.raises(StoreDamaged, match=rf"log\.db: chunk {seqs[1]} "):  # and at the next start
            SqliteEventLog.open(path, KEYRING)

    @pytest.mark.parametrize(
        "harm",
        [
            "DELETE FROM payloads WHERE seq = 2",
            "DELETE FROM keys WHERE seq = 2",
            "UPDATE keys SET keys = x'0011223344556677' WHERE seq = 2",
            "UPDATE payloads SET sealed = (SELECT sealed FROM payloads WHERE seq = 1) WHERE seq = 2",
            "UPDATE payloads SET sealed = x'' WHERE seq = 2",
        ],
    )
    def test_a_chunk_that_does_not_hold_together_is_not_skipped(self, tmp_path, harm):
        @in_loop
        async def check():
            async with opened(tmp_path / "log.db") as log:
                for n in range(3):
                    await log.append("ws_a", submission(f"m-{n}", f"n-{n}"))
                with editing(tmp_path / "log.db") as db:
                    db.execute(harm)
                with pytest.raises(StoreDamaged, match="chunk 2 "):
                    await everything(log)

        check()

    @in_loop
    async def test_a_damaged_file_is_refused(self, tmp_path):
        path = tmp_path / "log.db"
        async with opened(path) as log:
            await log.append("ws_a", submission(*(f"m-{n}" for n in range(1_000))), [rejection("bad")] * 100)
        whole = path.read_bytes()
        path.write_bytes(whole[:16_384] + bytes(len(whole) - 16_384))
        with pytest.raises(StoreDamaged, match=r"log\.db"):
            SqliteEventLog.open(path, KEYRING)
        path.write_bytes(b"not a database" * 10_000)
        with pytest.raises(StoreDamaged, match=r"log\.db"):
            SqliteEventLog.open(path, KEYRING)
        path.write_bytes(whole)
        async with opened(path) as log:
            assert (await log.facts()).chunks == 1

    @in_loop
    async def test_another_secret_key_is_refused(self, tmp_path):
        async with opened(tmp_path / "log.db") as log:
            await log.append("ws_a", submission("m-1"))
        other = Keyring(bytes(32))
        for writable in (True, False):
            with pytest.raises(StoreDamaged, match="PINYON_SECRET_KEY") as caught:
                SqliteEventLog.open(tmp_path / "log.db", other, writable=writable)
            assert caught.value.code == "secret_key_wrong"
        async with opened(tmp_path / "log.db") as log:
            assert ids(await everything(log)) == ["m-1"]

    @in_loop
    async def test_a_newer_format_is_refused(self, tmp_path):
        async with opened(tmp_path / "log.db"):
            pass
        with editing(tmp_path / "log.db") as db:
            db.execute("PRAGMA user_version = 99")
        for writable in (True, False):
            with pytest.raises(PinyonError, match="format 99") as caught:
                SqliteEventLog.open(tmp_path / "log.db", KEYRING, writable=writable)
            assert caught.value.code == "store_too_new"

    @in_loop
    async def test_no_person_can_be_read_from_the_files(self, tmp_path):
        """Bodies, addresses and rejected members are sealed; dead pages of the file are looked at too."""
        email, ip = b"ada@example.org", "203.0.113.77"
        events = [ReceivedEvent("track", "m-1", b'{"email":"' + email + b'"}')]
        sent = Submission("src_shop", 1.0, None, "segment", ip, "browser/9.9 of ada", events)
        async with opened(tmp_path / "log.db") as log:
            await log.append("ws_a", sent, [rejection("bad", message_id="ada-message")])
            assert (await everything(log))[0].submissions == [sent]
            files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
        assert {"log.db", "log.db-wal"} <= files.keys()
        for content in files.values():
            for secret in (email, ip.encode(), b"browser/9.9", b"trakc", b"ada-message", b"m-1"):
                assert secret not in content

    def test_a_log_can_be_opened_again_after_a_failure(self, tmp_path):
        path = tmp_path / "log.db"
        path.mkdir()
        with pytest.raises(Unavailable, match=r"log\.db"):
            SqliteEventLog.open(path, KEYRING)
        path.rmdir()
        asyncio.run(SqliteEventLog.open(path, KEYRING).close())


texts = st.text(st.characters(exclude_categories=["Cs"]))
received = st.builds(ReceivedEvent, type=texts, message_id=texts, body=st.binary())
submissions = st.builds(
    Submission,
    source_id=st.text(string.ascii_letters),
    received_at=st.floats(allow_nan=False),
    sent_at=st.none() | st.floats(allow_nan=False),
    dialect=texts,
    ip=st.none() | texts,
    user_agent=st.none() | texts,
    events=st.lists(received),
)


@given(st.lists(st.lists(submissions), min_size=1))
def test_what_is_packed_unpacks(chunks):
    packer = codec.Packer()
    assert [codec.unpack(packer.pack(chunk)) for chunk in chunks] == chunks


@given(st.binary())
def test_what_was_never_packed_does_not_unpack(noise):
    with pytest.raises(ValueError):  # noqa: PT011 - the words are those of the library that finds it
        codec.unpack(noise)


async def process(program, *arguments):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *(str(each) for each in arguments), stdout=asyncio.subprocess.PIPE
    )


READER = """
import asyncio, sys
from pathlib import Path
from pinyon.adapters.sqlite import SqliteEventLog
from pinyon.adapters.vault import Keyring

async def main():
    log = SqliteEventLog.open(Path(sys.argv[1]), Keyring(bytes(range(32))), writable=False)
    position = 0
    while await log.wait(after=position, timeout=60.0):
        for chunk in await log.read("ws_a", after=position, through=await log.head()):
            position = chunk.header.seq
            for submission in chunk.submissions:
                for event in submission.events:
                    if event.message_id == "end":
                        return await log.close()
                    print(event.message_id, flush=True)

asyncio.run(main())
"""

WRITER = """
import asyncio, sys
from pathlib import Path
from pinyon.adapters.sqlite import SqliteEventLog
from pinyon.adapters.vault import Keyring
from pinyon.testing.conformance.event_log import submission

async def main():
    log = SqliteEventLog.open(Path(sys.argv[1]), Keyring(bytes(range(32))))

    async def client(name):
        for number in range(1_000_000):
            message_id = f"{sys.argv[2]}-{name}-{number}"
            await log.append("ws_a", submission(message_id))
            print(message_id, flush=True)

    await asyncio.gather(*(client(name) for name in range(8)))

asyncio.run(main())
"""

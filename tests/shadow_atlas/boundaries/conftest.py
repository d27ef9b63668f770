"""One PostgreSQL for all tests of the boundaries, as `migrate` left it before each of them."""

import asyncio

import pytest

from shadow_atlas.migrate import migrate
from tests.shadow_atlas.boundaries.rig import Rig, sql
from tests.shadow_atlas.postgres import connect, migrated_cluster


@pytest.fixture(scope="session")
def session_cluster():
    with migrated_cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(session_cluster):
    session_cluster.start()
    asyncio.run(_as_shipped(session_cluster))
    return session_cluster


@pytest.fixture
def rig(cluster, stand_ins, tmp_path):
    return Rig(cluster=cluster, stand_ins=stand_ins, folder=tmp_path)


async def _as_shipped(cluster):
    await sql(cluster, "DELETE FROM boundary_versions")
    await sql(cluster, "UPDATE boundary_refresh SET claim = 0, claimed_until = '-infinity'")
    connection = await connect(cluster)
    await migrate(connection)
    await connection.close()

"""A real PostgreSQL with the schema, and the four stand-ins as processes: once per session."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from shadow_atlas.environment import Address
from shadow_atlas.migrate import migrate
from tests.shadow_atlas.batch.rig import BatchRig
from tests.shadow_atlas.postgres import ROLE, Cluster
from tests.shadow_atlas.service_process import StandIns

DATABASE = "postgres"


async def _execute(address: Address, *statements: str) -> None:
    connection = await asyncpg.connect(
        host=address.host, port=address.port, user=ROLE, database=DATABASE
    )
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _migrate(address: Address) -> None:
    connection = await asyncpg.connect(
        host=address.host, port=address.port, user=ROLE, database=DATABASE
    )
    try:
        await migrate(connection)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def database_address() -> Iterator[Address]:
    # Not below pytest's own folder, which the server's unprivileged user cannot enter.
    with TemporaryDirectory(prefix="atlas-batch-") as folder:
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "cluster")
        cluster.initialise()
        cluster.start()
        try:
            asyncio.run(_migrate(cluster.address))
            yield cluster.address
        finally:
            cluster.stop(mode="immediate")


@pytest.fixture(scope="session")
def shared_stand_ins(tmp_path_factory) -> Iterator[StandIns]:
    stand_ins = StandIns(tmp_path_factory.mktemp("stand_ins"))
    try:
        stand_ins.start()
        yield stand_ins
    finally:
        stand_ins.close()


@pytest.fixture
def stand_ins(shared_stand_ins: StandIns) -> StandIns:
    shared_stand_ins.begin()
    return shared_stand_ins


@pytest.fixture
def rig(database_address: Address, stand_ins: StandIns, tmp_path) -> BatchRig:
    """An empty job store, stand-ins without scripts, and settings that join them."""
    tables = "batch_jobs, batch_tasks, batch_results, batch_last_good, batch_contents"
    asyncio.run(_execute(database_address, f"TRUNCATE {tables}"))
    return BatchRig(
        stand_ins=stand_ins,
        folder=tmp_path,
        variables={
            **stand_ins.variables,
            "ATLAS_DB_ADDRESS": str(database_address),
            "ATLAS_DB_NAME": DATABASE,
        },
    )

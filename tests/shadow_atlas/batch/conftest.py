"""A real PostgreSQL with the schema, once per session, and a rig around one batch service."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.shadow_atlas.batch.rig import BatchRig
from tests.shadow_atlas.postgres import Cluster, connect, migrated_cluster
from tests.shadow_atlas.service_process import StandIns

TABLES = "batch_jobs, batch_tasks, batch_results, batch_last_good, batch_contents"


@pytest.fixture(scope="session")
def batch_cluster() -> Iterator[Cluster]:
    with migrated_cluster() as cluster:
        yield cluster


@pytest.fixture
def rig(batch_cluster: Cluster, stand_ins: StandIns, tmp_path) -> BatchRig:
    """An empty job store, stand-ins without scripts, and settings that join them."""
    batch_cluster.start()  # if the test before had stopped it
    asyncio.run(_empty(batch_cluster))
    return BatchRig(
        cluster=batch_cluster,
        stand_ins=stand_ins,
        folder=tmp_path,
        variables={**stand_ins.variables, "ATLAS_DB_ADDRESS": str(batch_cluster.address)},
    )


async def _empty(cluster: Cluster) -> None:
    connection = await connect(cluster)
    try:
        await connection.execute(f"TRUNCATE {TABLES}")
    finally:
        await connection.close()

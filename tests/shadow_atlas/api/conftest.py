"""One migrated PostgreSQL for all tests of the api."""

import pytest

from tests.shadow_atlas.postgres import migrated_cluster


@pytest.fixture(scope="session")
def session_cluster():
    with migrated_cluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(session_cluster):
    """A running server, started again if the test before had stopped it."""
    session_cluster.start()
    return session_cluster

import asyncio
import os

import pytest

from harness.environments import child, postgres
from harness.environments.cluster import make_cluster

pytestmark = pytest.mark.slow


@pytest.fixture
def make(tmp_path):
    """Make a cluster in a folder of its own that the server's user can enter; return its files."""

    def made(name: str, cache=tmp_path / "cache", database="atlas") -> dict[str, bytes]:
        folder = tmp_path / name
        folder.mkdir()
        for path in (folder, *folder.parents):
            if path.stat().st_uid == os.getuid() and path.stat().st_mode & 0o001 == 0:
                path.chmod(path.stat().st_mode | 0o011)
        environment = child.inherited_environment(XDG_CACHE_HOME=str(cache))
        data = folder / "data"
        asyncio.run(make_cluster(postgres.find_installation(), data, database, environment))
        assert data.stat().st_mode & 0o777 == 0o700
        return {str(p.relative_to(data)): p.read_bytes() for p in data.rglob("*") if p.is_file()}

    return made


def owners(folder) -> set[int]:
    return {path.stat().st_uid for path in (folder, *folder.rglob("*"))}


def test_a_second_cluster_is_a_copy_of_the_first_and_belongs_to_the_server(make, tmp_path):
    first, second = make("first"), make("second")

    assert first == second
    assert "selecting default" in (tmp_path / "first" / "cluster.log").read_text()
    assert (tmp_path / "second" / "cluster.log").read_text() == ""
    assert owners(tmp_path / "first" / "data") == owners(tmp_path / "second" / "data")


def test_each_database_has_its_own_cluster(make, tmp_path):
    make("first")
    make("second", database="other")
    make("third", database="postgres")

    assert len(list((tmp_path / "cache" / "atlas-chaos").iterdir())) == 3


def test_a_copy_that_a_killed_run_left_is_removed_and_never_used(make, tmp_path):
    make("first")
    [kept] = (tmp_path / "cache" / "atlas-chaos").iterdir()
    left = kept.rename(kept.with_name(f"{kept.name}.12345-work"))

    make("second")

    assert not left.exists()
    assert "selecting default" in (tmp_path / "second" / "cluster.log").read_text()
    assert kept.exists()


def test_a_cache_that_cannot_be_written_costs_time_only(make, tmp_path):
    (tmp_path / "file").write_text("no folder")

    make("first", cache=tmp_path / "file")

    assert (tmp_path / "first" / "data" / "PG_VERSION").exists()

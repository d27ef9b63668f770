"""What could not be removed from an engine keeps its journal, so that somebody can do it later."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from harness.composition import load
from harness.environments import labelled
from harness.environments.journal import Journal
from harness.environments.ports import Ports
from harness.environments.start import Start
from harness.model.errors import WorldNotClean
from harness.model.run import RunSettings

SCENARIO = Path(__file__).parents[3] / "scenarios" / "tiger_answers_for_a_dead_portal.chaos.yaml"
MADE = {"kind": labelled.RUN_LABEL, "label": "atlas-chaos.run=x", "host": "unix:///nowhere.sock"}


class NoTime:
    """A clock on which waiting takes none."""

    def now_ns(self) -> int:
        return 0

    def wall_unix_ns(self) -> int:
        return 0

    async def sleep(self, delay_s: float) -> None:
        _ = delay_s


@pytest.fixture
def start(tmp_path):
    [scenario] = load([SCENARIO])
    work = tmp_path / "work"
    work.mkdir()
    settings = RunSettings(
        environment="compose", seed=1, time_scale=1.0, folder=tmp_path / "run", run_id="left-1"
    )
    with Ports(Random(1)) as ports:
        yield Start(
            scenario=scenario,
            settings=settings,
            work=work,
            ports=ports,
            clock=NoTime(),
            record=lambda _: None,
        )


def test_containers_that_were_not_removed_are_not_clean_and_keep_the_work_folder(start, tmp_path):
    journal = Journal(tmp_path / "work")
    journal.plan_undo("make tiger", MADE)

    with pytest.raises(WorldNotClean, match="what was not undone: make tiger"):
        asyncio.run(start.demand_clean_world())

    assert (tmp_path / "work").exists()
    journal.close()


def test_containers_that_were_removed_are_clean(start, tmp_path):
    journal = Journal(tmp_path / "work")
    with journal.undoing("make tiger", MADE):
        pass

    asyncio.run(start.demand_clean_world())

    assert not (tmp_path / "work").exists()
    journal.close()

"""Runs share a project only where nothing of one can reach the next."""

import copy
import dataclasses
from pathlib import Path

import pytest

from harness.composition import load
from harness.environments.compose.reuse import preparation_of
from harness.environments.compose.stack import read_stack
from harness.model.run import RunSettings

SCENARIOS = Path(__file__).parents[3] / "scenarios"
FILES = {"type": "volume", "source": "events", "target": "/events"}
DISK = {"type": "volume", "source": "db", "target": "/data"}
PREPARED = {"migrate": {"condition": "service_completed_successfully"}}
WRITES = {"environment": {"ATLAS_EVENT_DIR": "/events"}, "volumes": [FILES]}
DOCUMENT = {
    "services": {
        "db": {"volumes": [DISK]},
        "migrate": {**WRITES, "depends_on": {"db": {"condition": "service_healthy"}}},
        "api": {**WRITES, "depends_on": PREPARED},
        "tiger": WRITES,
    },
    "volumes": {"db": None, "events": None},
}


@pytest.fixture
def services():
    """Return the services of a file that a test may change."""
    return copy.deepcopy(DOCUMENT["services"])


@pytest.fixture
def scenario():
    [found] = load([SCENARIOS / "lookups_survive_a_dead_database.chaos.yaml"])
    assert found.services() == ("db", "tiger", "api")
    return found


def prepared_by(scenario, services, *, seed=1) -> str | None:
    stack = read_stack({**DOCUMENT, "services": services}, Path("compose.yml"))
    settings = RunSettings(
        environment="compose", seed=seed, time_scale=0.1, folder=Path(), run_id="r"
    )
    return preparation_of(scenario, stack, settings)


def test_a_database_that_a_one_shot_filled_can_be_filled_for_all(scenario, services):
    assert "migrate" in prepared_by(scenario, services)


def test_another_seed_or_another_setting_of_the_database_is_another_preparation(scenario, services):
    otherwise = dataclasses.replace(scenario, variables={"db": {"PGOPTIONS": "-c jit=off"}})
    others = dataclasses.replace(scenario, variables={"api": {"ATLAS_CACHE": "off"}})

    known = prepared_by(scenario, services)

    assert prepared_by(scenario, services, seed=2) != known
    assert prepared_by(otherwise, services) != known
    assert prepared_by(others, services) == known


def test_without_a_database_there_is_nothing_to_prepare(scenario, services):
    [lookups] = scenario.loads
    on_tiger = dataclasses.replace(lookups, service="tiger")
    alone = dataclasses.replace(scenario, loads=(on_tiger,), timeline=(), probes=())
    assert "db" not in alone.services()

    assert prepared_by(alone, services) == ""


def test_a_volume_that_nobody_can_put_back_is_not_shared(scenario, services):
    services["tiger"] = {"volumes": [{"type": "volume", "source": "tiles", "target": "/tiles"}]}

    assert prepared_by(scenario, services) is None


@pytest.mark.parametrize(
    "waits", [{}, {"db": {"condition": "service_healthy"}, "tiger": {"condition": "x"}}]
)
def test_a_one_shot_that_may_do_something_else_is_not_left_out(scenario, services, waits):
    services["migrate"]["depends_on"] = waits

    assert prepared_by(scenario, services) is None


def test_a_database_that_its_client_fills_by_itself_is_not_shared(scenario, services):
    services["api"]["depends_on"] = {}

    assert prepared_by(scenario, services) is None


def test_services_that_wait_for_different_one_shots_share_nothing(scenario, services):
    services["tiger"] = {"depends_on": {"seed": {"condition": "service_completed_successfully"}}}
    services["seed"] = {"depends_on": {"db": {"condition": "service_healthy"}}}

    assert prepared_by(scenario, services) is None

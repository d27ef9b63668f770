"""What becomes of the work of a worker that died."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from harness.pytest_support.distribution import scheduler


@dataclass(eq=False)
class Worker:
    """What a scheduler knows of a worker; this one never shuts down."""

    gateway: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(id="gw"))
    shutting_down: bool = False
    sent: list[int] = field(default_factory=list)

    def send_runtest_some(self, indices):
        self.sent += indices

    def shutdown(self):
        pass


def schedule(config, monkeypatch, ids):
    monkeypatch.setattr(config.option, "dist", "loadfile")
    monkeypatch.setattr(config.option, "tx", ["popen", "popen"])
    made = scheduler(config, None)
    workers = [Worker(), Worker()]
    for worker in workers:
        made.add_node(worker)
        made.add_node_collection(worker, ids)
    made.schedule()
    return made, workers


def test_crashed_scenario_is_done_and_the_rest_of_its_unit_goes_to_others(
    pytestconfig, monkeypatch
):
    ids = ["a.chaos.yaml::one", "a.chaos.yaml::two", "b.chaos.yaml::three"]
    made, (dead, other) = schedule(pytestconfig, monkeypatch, ids)

    crashed = made.remove_node(dead)

    assert crashed == "a.chaos.yaml::one"
    assert other.sent == [2, 1]  # its own, then what was left; never the one that crashed


def test_worker_that_ends_with_its_work_done_crashed_on_nothing(pytestconfig, monkeypatch):
    ids = ["a.chaos.yaml::one", "b.chaos.yaml::two"]
    made, (worker, _) = schedule(pytestconfig, monkeypatch, ids)
    made.mark_test_complete(worker, 0)

    assert made.remove_node(worker) is None


def test_session_without_scenarios_keeps_the_behaviour_of_pytest_xdist(pytestconfig, monkeypatch):
    made, (dead, other) = schedule(
        pytestconfig, monkeypatch, ["test_a.py::one", "test_a.py::two", "test_b.py::three"]
    )

    assert made.remove_node(dead) == "test_a.py::one"
    assert other.sent == [2, 0, 1]


@pytest.mark.parametrize("dist", ["load", "worksteal", "no"])
def test_sound_distributions_are_left_to_pytest_xdist(pytestconfig, monkeypatch, dist):
    monkeypatch.setattr(pytestconfig.option, "dist", dist)

    assert scheduler(pytestconfig, None) is None

"""What cannot mean the same in containers is refused with its reason, never run."""

import dataclasses
from pathlib import Path

import pytest

from fault_injectors.toxiproxy import ProxyKind
from harness.composition import load
from harness.environments.choice import make_environment
from harness.environments.compose import requirements
from harness.environments.compose.machine import compose_arguments, find_machine
from harness.environments.compose.project import project_name
from harness.environments.compose.stack import Stack
from harness.model.errors import MissingDependency
from harness.model.fault import Capability

ROOT = Path(__file__).parents[3]
SCENARIOS = ROOT / "scenarios"


def scenario(name: str):
    [found] = load([SCENARIOS / f"{name}.chaos.yaml"])
    return found


def test_a_plain_outage_means_the_same_in_containers():
    assert (
        requirements.of_scenario(scenario("tiger_answers_for_a_dead_portal"), ProxyKind.TOXIPROXY)
        == []
    )


def test_a_breaker_before_a_server_that_says_nothing_could_leak_unseen():
    [why] = requirements.of_scenario(
        scenario("lookups_survive_a_dead_database"), ProxyKind.TOXIPROXY
    )

    assert "'db' writes no events, and the vendor's Toxiproxy keeps no record" in why


def test_a_deployment_behind_a_listening_socket_that_outlives_it_does_not():
    [why] = requirements.of_scenario(
        scenario("a_deployment_leaves_no_request_unanswered"), ProxyKind.TOXIPROXY
    )

    assert "listening socket outlives a restart" in why


def test_a_share_of_connections_is_refused_by_the_vendors_proxy():
    told = requirements.of_scenario(scenario("connection_resets_are_retried"), ProxyKind.TOXIPROXY)

    assert told
    assert all("does not draw connections by the run's seed" in one for one in told)


def test_alerts_mean_the_same_in_containers():
    assert (
        requirements.of_scenario(
            scenario("a_flooded_bulkhead_raises_the_alert"), ProxyKind.TOXIPROXY
        )
        == []
    )


def test_a_service_without_a_path_that_says_ready_is_refused():
    known = scenario("tiger_answers_for_a_dead_portal")
    bare = tuple(dataclasses.replace(one, ready_path=None) for one in known.system.services)
    changed = dataclasses.replace(known, system=dataclasses.replace(known.system, services=bare))

    told = requirements.of_scenario(changed, ProxyKind.TOXIPROXY)

    asked_over_http = {one.name for one in changed.system.services} & set(changed.services())
    assert {one.split("'")[1] for one in told} == asked_over_http - {"db"}  # that is asked by SQL


def test_what_is_offered_is_what_scenarios_may_need():
    offered = make_environment("compose", "toxiproxy", clock=None).offers()

    assert Capability.PROCESS in offered
    assert Capability.NETWORK_SHARE not in offered


@pytest.fixture
def no_engine(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")  # the port that discards


def test_an_engine_that_does_not_answer_is_named_with_what_to_do(no_engine):  # noqa: ARG001
    with pytest.raises(MissingDependency, match=r"127\.0\.0\.1:9; start it"):
        find_machine()


def test_a_docker_that_is_not_installed_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")

    with pytest.raises(MissingDependency, match="docker is not on PATH"):
        find_machine()


def test_an_override_is_laid_over_the_users_file_under_a_project_of_its_own(tmp_path):
    stack = Stack(file=tmp_path / "c.yml", services={})

    told = compose_arguments(stack, tmp_path / "o.yml", project=project_name("Some.run-1"))

    assert told == [
        *("compose", "--profile", "*", "--project-directory", str(tmp_path)),
        *("--file", str(tmp_path / "c.yml"), "--file", str(tmp_path / "o.yml")),
        *("--project-name", "atlas-some-run-1"),
    ]


def test_images_that_the_script_noted_are_used(tmp_path):
    stack = Stack(file=tmp_path / "c.yml", services={})
    stack.variables_file.parent.mkdir()
    stack.variables_file.touch()

    told = compose_arguments(stack)

    assert told[told.index("--env-file") + 1] == str(stack.variables_file)

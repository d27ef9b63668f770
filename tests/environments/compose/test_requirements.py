"""What cannot mean the same in containers is refused with its reason, never run."""

import dataclasses
from pathlib import Path

import pytest

from fault_injectors.toxiproxy import ProxyKind
from harness.composition import load
from harness.environments.choice import make_environment
from harness.environments.compose import machine, requirements
from harness.environments.compose.clocks import preloaded
from harness.environments.compose.machine import Machine, compose_arguments, find_machine
from harness.environments.compose.project import project_name
from harness.environments.compose.stack import ContainerSpec, Stack, read_stack
from harness.model.errors import MissingDependency
from harness.model.fault import Capability

ROOT = Path(__file__).parents[3]
SCENARIOS = ROOT / "scenarios"


VENDORS, OURS = ProxyKind.TOXIPROXY, ProxyKind.EMBEDDED


def scenario(name: str):
    [found] = load([SCENARIOS / f"{name}.chaos.yaml"])
    return found


@pytest.mark.parametrize("proxy", [VENDORS, OURS])
def test_a_plain_outage_means_the_same_in_containers(proxy):
    assert requirements.of_scenario(scenario("tiger_answers_for_a_dead_portal"), proxy) == []


def test_a_breaker_before_a_server_that_says_nothing_could_leak_unseen():
    silent = scenario("lookups_survive_a_dead_database")

    [why] = requirements.of_scenario(silent, VENDORS)

    assert "'db' writes no events, and the vendor's Toxiproxy keeps no record" in why
    assert requirements.of_scenario(silent, OURS) == []


@pytest.mark.parametrize(
    ("name", "proxy"),
    [
        ("tiger_answers_for_a_dead_portal", VENDORS),
        ("lookups_survive_a_dead_database", OURS),  # records of a link whose server writes none
        ("connection_resets_are_retried", OURS),  # a share of connections
        ("a_deployment_leaves_no_request_unanswered", VENDORS),  # neither could run it
    ],
)
def test_the_vendors_proxy_is_taken_unless_ours_alone_will_do(name, proxy):
    assert requirements.proxy_for(scenario(name)) is proxy


def test_a_deployment_behind_a_listening_socket_that_outlives_it_does_not():
    [why] = requirements.of_scenario(scenario("a_deployment_leaves_no_request_unanswered"), OURS)

    assert "listening socket outlives a restart" in why


def test_a_share_of_connections_is_refused_by_the_vendors_proxy():
    told = requirements.of_scenario(scenario("connection_resets_are_retried"), VENDORS)

    assert requirements.of_scenario(scenario("connection_resets_are_retried"), OURS) == []
    assert told
    assert all("does not draw connections by the run's seed" in one for one in told)


def test_alerts_mean_the_same_in_containers():
    assert requirements.of_scenario(scenario("a_flooded_bulkhead_raises_the_alert"), VENDORS) == []


def test_a_service_without_a_path_that_says_ready_is_refused():
    known = scenario("tiger_answers_for_a_dead_portal")
    bare = tuple(dataclasses.replace(one, ready_path=None) for one in known.system.services)
    changed = dataclasses.replace(known, system=dataclasses.replace(known.system, services=bare))

    told = requirements.of_scenario(changed, VENDORS)

    asked_over_http = {one.name for one in changed.system.services} & set(changed.services())
    assert {one.split("'")[1] for one in told} == asked_over_http - {"db"}  # that is asked by SQL


def test_what_is_offered_is_what_scenarios_may_need():
    offered = make_environment("compose", "toxiproxy", clock=None).offers()

    assert Capability.PROCESS in offered
    assert Capability.NETWORK_SHARE not in offered


@pytest.mark.parametrize(
    ("tools", "why"),
    [
        ("", "c.yml names no image with iptables and python3, which faults on packets and names "),
        ("atlas-chaos/nowhere:1", "image atlas-chaos/nowhere:1 is not here; "),
    ],
)
def test_faults_that_run_tools_beside_a_service_need_their_image(monkeypatch, tools, why):
    spec = ContainerSpec(name="toxiproxy", image="own:1", port=8474)
    stack = Stack(file=Path("c.yml"), services={"toxiproxy": spec}, tools=tools)
    here = Machine(host="unix:///d.sock", engine="20.10", api="1.41", compose="2.40")
    monkeypatch.setattr(machine, "_has_image", lambda image, _host: image == "own:1")

    assert machine.lacking_images(stack, [], ["toxiproxy"], here, needs_tools=False) == []
    [told] = machine.lacking_images(stack, [], ["toxiproxy"], here, needs_tools=True)
    assert told.startswith(why)


@pytest.mark.parametrize(
    ("name", "needs_tools"),
    [("lookups_survive_a_dead_resolver", True), ("tiger_answers_for_a_dead_portal", False)],
)
def test_the_image_of_tools_is_asked_for_when_a_fault_needs_it(monkeypatch, name, needs_tools):
    asked = []
    monkeypatch.setattr(machine, "find_machine", lambda: None)
    monkeypatch.setattr(requirements, "stack_for", lambda *_: Stack(file=Path("c"), services={}))
    monkeypatch.setattr(machine, "unknown_services", lambda *_: [])
    monkeypatch.setattr(
        machine, "lacking_images", lambda *_, needs_tools: asked.append(needs_tools) or []
    )

    assert requirements.of_machine(scenario(name), VENDORS) == []
    assert asked == [needs_tools]


def test_a_full_disk_is_refused_where_the_data_are_on_the_disk_of_this_host(monkeypatch):
    here = Machine(host="unix:///d.sock", engine="20.10", api="1.41", compose="2.40")
    names = ("db", "api", "batch", "portal_wi", "portal_co", "portal_ny", "tiger")
    services = {name: {"image": "own:1"} for name in (*names, "toxiproxy")}
    stack = read_stack({"services": services, "volumes": {"db": None}}, Path("c.yml"))
    monkeypatch.setattr(machine, "find_machine", lambda: here)
    monkeypatch.setattr(requirements, "stack_for", lambda *_: stack)
    monkeypatch.setattr(machine, "_has_image", lambda *_: True)

    [why] = requirements.of_machine(scenario("lookups_survive_a_full_disk"), VENDORS)

    assert why.startswith("fault 'disk_full' of 'db': its data is on the disk of this host")
    assert "in c.yml a volume of type tmpfs with a size" in why


def test_a_clock_is_made_adjustable_where_a_scenario_sets_it_wrong_and_nowhere_else():
    skewed = scenario("a_wrong_clock_changes_no_answer")

    assert "faketime" in preloaded(skewed, "api")["LD_PRELOAD"]
    assert preloaded(skewed, "db") == {}
    assert preloaded(scenario("tiger_answers_for_a_dead_portal"), "api") == {}


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

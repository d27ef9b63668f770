"""Each fault on containers bites, heals, heals after an error inside, and leaves others alone."""

import asyncio
import dataclasses
import json
import os

import pytest

from fault_injectors.toxiproxy import ProxyKind
from harness.clock import SystemClock
from harness.composition import load
from harness.environments import labelled
from harness.environments.compose import ComposeEnvironment
from harness.environments.compose.stack import PROXIES
from harness.model.errors import FaultNotApplied, HarnessError, ServiceNotReady
from harness.model.fault import Capability, ToxicSpec
from harness.model.system import Link
from tests.docker.running import SCENARIO, Running, docker, left, running_system, settings

pytestmark = [pytest.mark.slow, pytest.mark.docker]

DOWN = ("kill", "stop", "pause")


@pytest.fixture(scope="module", params=list(ProxyKind))
def running(images, request, tmp_path_factory):  # noqa: ARG001 -- it needs them built, not named
    yield from running_system(Running(tmp_path_factory.mktemp("run"), proxy=request.param))


def test_only_what_the_scenario_reaches_is_started(running):
    assert running.statuses() == {
        "api": "running",
        "db": "running",
        "db_disk": "running",
        "tiger": "running",
        PROXIES[running.proxy]: "running",
        "migrate": "exited",
    }


def test_containers_are_published_to_this_host_alone(running):
    ids = docker("ps", "-q", "--filter", f"label={labelled.label_of(running.run_id)}").split()

    bound = json.loads(docker("inspect", *ids))
    addresses = {
        binding["HostIp"]
        for one in bound
        for ports in one["HostConfig"]["PortBindings"].values()
        for binding in ports
    }
    assert addresses == {"127.0.0.1"}


@pytest.mark.parametrize("fault", DOWN)
@pytest.mark.parametrize("service", ["tiger", "db"])
def test_it_bites_the_one_leaves_the_others_alone_and_heals(running, fault, service):
    before = running.statuses()

    async def hit():
        async with getattr(running.system.capabilities.processes, fault)(service) as applied:
            return running.statuses(), running.status("api"), applied

    during, api, applied = running.run(hit())

    assert during == before | {service: "paused" if fault == "pause" else "exited"}
    assert api == 200
    assert applied.effects == 1
    assert running.statuses() == before
    assert running.status("tiger") == 200


@pytest.mark.parametrize("fault", [*DOWN, "restart"])
def test_it_heals_after_an_error_inside(running, fault):
    async def hit():
        async with getattr(running.system.capabilities.processes, fault)("tiger"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        running.run(hit())

    assert running.statuses()["tiger"] == "running"
    assert running.status("tiger") == 200


def test_a_paused_service_answers_nobody(running):
    async def hit():
        async with running.system.capabilities.processes.pause("tiger"):
            return await asyncio.to_thread(running.status, "tiger")

    assert running.run(hit()) == 0


def test_each_start_is_a_new_incarnation_with_a_record_of_its_own(running):
    running.records.clear()
    known = {name for name in running.system.event_files() if name.startswith("tiger.")}

    async def hit():
        async with running.system.capabilities.processes.kill("tiger"):
            pass

    running.run(hit())

    last = str(len(known))
    told = [(one.what, one.incarnation) for one in running.records if one.service == "tiger"]
    following = str(len(known) + 1)
    assert told == [("stopped", last), ("started", following), ("ready", following)]
    assert f"tiger.{following}" in running.system.event_files()


def test_an_end_that_nobody_ordered_is_told_as_a_crash(running):
    running.records.clear()
    form = '{{.ID}} {{.Label "com.docker.compose.service"}}'
    listed = docker(
        "ps", "--format", form, "--filter", f"label={labelled.label_of(running.run_id)}"
    )
    [container] = [line.split()[0] for line in listed.splitlines() if line.endswith(" tiger")]

    async def crash_and_heal():
        await asyncio.to_thread(docker, "kill", container)
        for _ in range(100):
            if running.records:
                break
            await asyncio.sleep(0.05)
        async with running.system.capabilities.processes.kill("tiger"):
            pass

    running.run(crash_and_heal())

    assert (running.records[0].what, running.records[0].detail) == ("crashed", "code 137")
    assert running.status("tiger") == 200


def test_a_link_that_is_down_bites_its_own_client_and_heals(running):
    running.wait_until_primary()

    async def hit():
        async with running.system.capabilities.network.down(Link("api", "db")):
            return await asyncio.to_thread(running.source)

    assert running.run(hit()) == "stale_cache"
    assert running.status("tiger") == 200


def test_the_embedded_proxy_alone_records_what_crossed_a_link(running):
    running.source()

    recorded = [name for name in running.system.event_files() if name.startswith("proxy.")]

    if running.proxy is ProxyKind.TOXIPROXY:
        assert recorded == []
        return
    [file] = recorded
    lines = running.system.event_files()[file].read_text().splitlines()
    kinds = {json.loads(line)["kind"] for line in lines}
    assert {"connection", "chunk"} <= kinds


def test_a_share_of_connections_is_what_the_embedded_proxy_alone_offers(running):
    offered = ComposeEnvironment(clock=SystemClock(), proxy=running.proxy).offers()
    spec = ToxicSpec(type="latency", attributes={"latency": 100, "jitter": 0}, share=0.5)

    async def hit():
        async with running.system.capabilities.network.toxic(Link("api", "tiger"), spec) as applied:
            return applied.read_back

    assert (Capability.NETWORK_SHARE in offered) is (running.proxy is ProxyKind.EMBEDDED)
    if running.proxy is ProxyKind.EMBEDDED:
        assert "latency" in running.run(hit())


def test_a_dead_fault_proxy_is_ours_and_not_the_systems(images, tmp_path):  # noqa: ARG001
    made = Running(tmp_path, proxy=ProxyKind.EMBEDDED)
    try:
        made.start()
        made.system.check_alive()
        ids = docker("ps", "-q", "--filter", f"label={labelled.label_of(made.run_id)}").split()
        form = '{{index .Config.Labels "com.docker.compose.service"}} {{.Id}}'
        told = docker("inspect", "-f", form, *ids).split()
        docker("kill", dict(zip(told[::2], told[1::2], strict=True))["fault_proxy"])

        async def until_noticed():
            for _ in range(200):
                made.system.check_alive()
                await asyncio.sleep(0.05)

        with pytest.raises(HarnessError, match="the fault proxy has died"):
            made.run(until_noticed())
    finally:
        made.close()
    assert left(made.run_id) == []


def test_a_toxic_is_in_force_until_it_is_healed(running):
    spec = ToxicSpec(type="latency", attributes={"latency": 100, "jitter": 0})

    async def hit():
        async with running.system.capabilities.network.toxic(Link("api", "tiger"), spec) as applied:
            return applied.read_back

    assert "latency" in running.run(hit())


def test_a_script_of_a_stand_in_is_in_force_until_it_is_healed(running):
    path = "/arcgis/rest/services"
    script = {"status": 418}

    async def hit():
        async with running.system.capabilities.upstreams.script("tiger", script):
            return await asyncio.to_thread(running.status, "tiger", path)

    assert running.run(hit()) == 418
    assert running.status("tiger", path) != 418


def test_chaos_endpoints_stay_closed_to_callers_from_outside(running):
    assert running.status("tiger", "/chaos/scripts") == 404


@pytest.mark.parametrize(
    ("fault", "service", "amount"),
    [
        ("cpu_pressure", "api", 1),
        ("memory_pressure", "api", 64 << 20),
        ("fds_exhausted", "api", 2),
        ("connections_exhausted", "db", 0),
    ],
)
def test_resources_are_taken_and_given_back(running, fault, service, amount):
    before = running.statuses()

    async def hit():
        async with getattr(running.system.capabilities.resources, fault)(
            service, amount
        ) as applied:
            await asyncio.sleep(0.5)  # the time that it is in force
        return applied

    applied = running.run(hit())

    assert applied.effects >= (fault in {"cpu_pressure", "connections_exhausted"})
    assert running.statuses() == before
    assert running.status("api") == 200


def test_a_service_that_was_not_started_cannot_be_hit(running):
    with pytest.raises(FaultNotApplied, match="'batch' was not started"):
        running.system.capabilities.processes.kill("batch")


@pytest.mark.usefixtures("images")
def test_a_container_that_dies_at_start_is_told_with_its_last_words_and_nothing_is_left(tmp_path):
    [scenario] = load([SCENARIO])
    broken = dataclasses.replace(scenario, variables={"api": {"ATLAS_APP": "no_such_module:app"}})
    run_id = f"dies-{os.getpid()}"

    async def attempt():
        environment = ComposeEnvironment(clock=SystemClock())
        async with environment.start(broken, settings(tmp_path, run_id), lambda _: None):
            pass

    with pytest.raises(ServiceNotReady, match=r"(?s)'api' ended with code 2.*no_such_module"):
        asyncio.run(attempt())

    assert left(run_id) == []
    assert "no_such_module" in (tmp_path / "logs" / "api.log").read_text()


@pytest.mark.usefixtures("images")
def test_an_image_that_is_not_here_is_named_before_anything_is_started(tmp_path):
    file = SCENARIO.with_name("tiger_answers_for_a_dead_portal.chaos.yaml")
    for path in (file, file.with_name("shadow_atlas.system.yaml")):
        (tmp_path / path.name).write_text(path.read_text())
    [scenario] = load([tmp_path / file.name])
    services = {
        name: {"image": "atlas-chaos/nowhere:1"} for name in (*scenario.services(), "toxiproxy")
    }
    (tmp_path / "compose.yaml").write_text(json.dumps({"services": services}))

    [why] = ComposeEnvironment(clock=SystemClock()).missing(scenario)

    assert why.startswith("image atlas-chaos/nowhere:1 is not here; ")

"""A scenario with alerts is watched by the Prometheus of the Compose file, not by a host's."""

import json
import shutil

import pytest

from harness.clock import SystemClock
from harness.composition import load
from harness.environments.compose import ComposeEnvironment
from harness.model.errors import HarnessError
from harness.model.records import AlertReading
from tests.docker.running import SCENARIO, Running, docker, running_system

pytestmark = [pytest.mark.slow, pytest.mark.docker]

WITH_ALERTS = SCENARIO.with_name("an_open_breaker_raises_the_alert.chaos.yaml")
WITHIN_LOOKS = 200  # of 0.05 s: a busy machine is late, a broken one never comes


@pytest.fixture
def watched(images, tmp_path):  # noqa: ARG001 -- it needs them built, not named
    [scenario] = load([WITH_ALERTS])
    yield from running_system(Running(tmp_path, scenario))


def test_its_container_scrapes_services_by_name_and_its_end_is_ours_not_the_systems(watched):
    assert watched.statuses()["prometheus"] == "running"
    told = json.loads(
        docker(
            *("exec", watched.container("prometheus"), "promtool", "query", "instant"),
            *("-o", "json", "http://127.0.0.1:9090", "up"),
        )
    )
    assert [(one["metric"]["instance"], one["value"][1]) for one in told] == [("api:8080", "1")]

    clock = SystemClock()

    async def until(happened):
        for _ in range(WITHIN_LOOKS):
            if happened():
                return
            watched.system.check_alive()
            await clock.sleep(0.05)

    def readings():
        return [one for one in watched.records if isinstance(one, AlertReading)]

    watched.run(until(readings))
    assert "CircuitBreakerOpenCritical" in {one.alert for one in readings()}
    assert {one.error for one in readings()} == {None}

    docker("kill", watched.container("prometheus"))
    with pytest.raises(HarnessError, match="the container of Prometheus has ended"):
        watched.run(until(lambda: False))


def test_no_prometheus_of_the_host_is_needed(images, tmp_path, monkeypatch):  # noqa: ARG001
    path = shutil.which("docker")
    (tmp_path / "docker").symlink_to(path)
    monkeypatch.setenv("PATH", str(tmp_path))
    environment = ComposeEnvironment(clock=SystemClock())

    assert environment.missing(load([WITH_ALERTS])[0]) == []

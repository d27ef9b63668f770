"""A real Prometheus beside a service whose one metric the test sets."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from fault_injectors.catalogue import FAULTS
from fault_injectors.toxiproxy import ProxyKind
from harness.checks import CHECKS
from harness.clock import SystemClock
from harness.environments import child
from harness.environments.processes import ProcessesEnvironment
from harness.environments.prometheus import Site, readings_of
from harness.environments.prometheus_process import find_program, prometheus
from harness.model.alerting import Alerting
from harness.model.errors import HarnessError, MissingDependency, ServiceNotReady
from harness.model.records import AlertReading
from harness.scenario_files import load_scenario
from tests.monitoring.programs import program
from tests.shadow_atlas.postgres import free_port

SCENARIO = Path(__file__).parents[2] / "scenarios" / "an_open_breaker_raises_the_alert.chaos.yaml"
RULES = """
groups:
  - name: g
    rules:
      - {alert: TooHigh, expr: height > 3, labels: {severity: critical}}
      - {alert: NeverAsked, expr: depth > 3}
"""
WITHIN_LOOKS = 100  # of 0.1 s: a busy machine is late, a broken one never comes


class Gauge:
    """A service with one metric."""

    def __init__(self) -> None:
        self.height = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = f'height{{name="tower"}} {self.height}\n'
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def watched(folder: Path, *, rules: str = RULES, clock=None, has_service: bool = True):
    """Yield the gauge, a Prometheus that was started beside it, and its site."""
    program("prometheus")
    gauge, port = Gauge(), free_port()
    server = await asyncio.start_server(gauge.answer, "127.0.0.1", port)
    if not has_service:
        server.close()
        await server.wait_closed()
    site = Site(
        alerts=Alerting(rules=Path("unused"), scrape=("tower",), every_s=0.1),
        rules=rules,
        targets={"tower": f"127.0.0.1:{port}"},
        port=free_port(),
        settings=folder,
    )
    async with (
        server,
        prometheus(
            site,
            storage=folder / "samples",
            log=folder / "prometheus.log",
            environment=child.inherited_environment(),
            clock=clock or SystemClock(),
            keep=False,
        ) as started,
    ):
        yield gauge, started, site


def of_port(port: int) -> list[psutil.Process]:
    address = f"--web.listen-address=127.0.0.1:{port}"
    return [
        one for one in psutil.process_iter(["cmdline"]) if address in (one.info["cmdline"] or ())
    ]


@pytest.mark.slow
def test_alert_is_recorded_while_it_is_silent_fires_and_has_ended(tmp_path):
    seen: list[AlertReading] = []

    async def until(state):
        clock = SystemClock()
        for _ in range(WITHIN_LOOKS):
            if seen and [one.state for one in seen if one.alert == "TooHigh"][-1:] == [state]:
                return
            await clock.sleep(0.1)
        raise AssertionError(f"TooHigh was never {state}")

    async def main():
        async with watched(tmp_path) as (gauge, started, site):
            await started.wait_until_watching()
            async with started.recording_alerts(seen.append):
                await until("inactive")
                gauge.height = 4
                await until("firing")
                gauge.height = 0
                await until("inactive")
            count = len(seen)
            started.check_alive()
            assert of_port(site.port)
        assert len(seen) == count
        return site

    site = asyncio.run(main())

    firing = next(one for one in seen if one.state == "firing")
    assert firing.labels == {
        "alertname": "TooHigh",
        "instance": site.targets["tower"],
        "job": "tower",
        "name": "tower",
        "severity": "critical",
    }
    assert {one.alert for one in seen} == {"TooHigh", "NeverAsked"}
    assert {one.state for one in seen if one.alert == "NeverAsked"} == {"inactive"}
    assert [one.t_ns for one in seen] == sorted(one.t_ns for one in seen)
    assert of_port(site.port) == []


@pytest.mark.slow
def test_prometheus_that_dies_is_our_failure_and_looks_at_it_say_so(tmp_path):
    async def main():
        async with watched(tmp_path) as (_, started, site):
            await started.wait_until_watching()
            [process] = of_port(site.port)
            os.kill(process.pid, signal.SIGKILL)
            for _ in range(WITHIN_LOOKS):
                [reading, *_] = await started.read()
                if reading.error:
                    break
            await SystemClock().sleep(0.2)  # for the news of its end, which the kernel has sent
            with pytest.raises(HarnessError, match="Prometheus ended with code -9"):
                started.check_alive()
            return reading

    reading = asyncio.run(main())

    assert (reading.alert, reading.state) == ("", None)
    assert reading.error.startswith(("ConnectError", "ReadError", "RemoteProtocolError"))


@pytest.mark.slow
def test_rules_that_prometheus_refuses_are_shown_with_what_it_said(tmp_path):
    async def main():
        async with watched(tmp_path, rules=RULES.replace("height > 3", "height >")) as (
            _,
            started,
            _,
        ):
            await started.wait_until_watching()

    with pytest.raises(HarnessError, match=r"(?s)Prometheus ended with code 1.*unexpected end"):
        asyncio.run(main())


class Hurried(SystemClock):
    """Waits a quarter of the time, so that thirty seconds of patience take eight."""

    async def sleep(self, duration_s: float) -> None:
        await super().sleep(duration_s / 4)


@pytest.mark.slow
def test_service_without_metrics_is_named(tmp_path):
    async def main():
        async with watched(tmp_path, clock=Hurried(), has_service=False) as (_, started, _):
            await started.wait_until_watching()

    with pytest.raises(ServiceNotReady, match=r"service 'tower' was not scraped: .*refused"):
        asyncio.run(main())


def test_rule_that_cannot_be_evaluated_says_nothing_of_its_alert():
    rule = {"name": "Slow", "health": "err", "lastError": "many-to-many", "alerts": []}

    assert readings_of(rule, 7) == [AlertReading(t_ns=7, alert="Slow", error="many-to-many")]


def test_scenario_with_alerts_needs_prometheus_and_the_others_do_not(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    environment = ProcessesEnvironment(clock=SystemClock(), proxy=ProxyKind.EMBEDDED)
    scenario = load_scenario(SCENARIO, faults=FAULTS, checks=CHECKS)

    [told] = environment.missing(scenario)

    assert "no Prometheus found" in told
    assert "apt-get install prometheus" in told
    assert environment.missing(replace(scenario, alerts=None)) == []


def test_missing_program_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingDependency, match="put its folder on PATH"):
        find_program()

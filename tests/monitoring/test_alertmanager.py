"""Alerts reach PagerDuty: the route is checked by amtool, the messages by a stand-in for it."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue

import httpx
import pytest
from ruamel.yaml import YAML

from harness.model.alert_rules import alert_names
from tests.monitoring.programs import program
from tests.monitoring.servers import running, wait_for
from tests.shadow_atlas.postgres import free_port

MONITORING = Path(__file__).parents[2] / "monitoring"
CONFIGURATION = MONITORING / "alertmanager" / "alertmanager.yml"
KEY = "key-of-this-test-run"
TOLD_WITHIN_S = 20.0  # one group_wait of 100 ms, on a busy machine

OPEN = {
    "labels": {
        "alertname": "CircuitBreakerOpenCritical",
        "job": "api",
        "name": "api-server",
        "severity": "critical",
    },
    "annotations": {
        "summary": "Circuit breaker api-server open >5 minutes",
        "description": "look at the upstream",
    },
}


def amtool(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [program("amtool"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_configuration_is_valid():
    done = amtool("check-config", CONFIGURATION)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("severity", ["critical", "warning"])
def test_every_severity_is_routed_to_pagerduty(severity):
    done = amtool(
        "config", "routes", "test", f"--config.file={CONFIGURATION}", f"severity={severity}"
    )

    assert done.stdout.strip() == "pagerduty", done.stderr


def test_routing_key_comes_from_a_file_that_git_ignores():
    text = CONFIGURATION.read_text()
    [file] = re.findall(r"routing_key_file: (\S+)", text)

    assert "routing_key:" not in text
    assert file in (CONFIGURATION.parent / ".gitignore").read_text().splitlines()


def test_inhibitions_name_alerts_that_exist():
    known = set(alert_names((MONITORING / "alerts.template.yml").read_text()))
    document = YAML(typ="safe").load(CONFIGURATION)

    named = {
        name
        for rule in document["inhibit_rules"]
        for matcher in rule["source_matchers"] + rule["target_matchers"]
        for name in re.search(r'"(.*)"', matcher)[1].split("|")
    }
    assert named <= known


class PagerDuty:
    """A stand-in for PagerDuty's Events API: it keeps what it is told."""

    def __init__(self) -> None:
        self.events: Queue[dict] = Queue()
        events = self.events

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["content-length"])
                events.put({"path": self.path, **json.loads(self.rfile.read(size))})
                self.send_response(202)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v2/enqueue"

    def next(self) -> dict:
        try:
            return self.events.get(timeout=TOLD_WITHIN_S)
        except Empty:
            raise AssertionError("PagerDuty was told nothing") from None

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def pagerduty() -> Iterator[PagerDuty]:
    stand_in = PagerDuty()
    yield stand_in
    stand_in.close()


@pytest.fixture
def alertmanager(pagerduty, tmp_path) -> Iterator[httpx.Client]:
    """Run an Alertmanager with our configuration, but impatient and with the stand-in's address."""
    text = re.sub(r"group_(wait|interval): \w+", r"group_\1: 100ms", CONFIGURATION.read_text())
    (tmp_path / "alertmanager.yml").write_text(
        f"global: {{pagerduty_url: {pagerduty.url}}}\n{text}"
    )
    (tmp_path / "pagerduty_routing_key").write_text(f"{KEY}\n")
    port = free_port()
    options = (
        "--config.file=alertmanager.yml",
        f"--storage.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    url = f"http://127.0.0.1:{port}"
    with (
        running("prometheus-alertmanager", *options, folder=tmp_path),
        httpx.Client(base_url=url, trust_env=False, timeout=10) as client,
    ):
        wait_for(lambda: client.get("/-/ready").status_code == 200, "Alertmanager ready")
        yield client


@pytest.mark.slow
def test_pagerduty_is_told_of_an_alert_and_of_its_end(alertmanager, pagerduty):
    assert alertmanager.post("/api/v2/alerts", json=[OPEN]).status_code == 200
    fired = pagerduty.next()
    ended = {**OPEN, "endsAt": "2000-01-02T00:00:00Z", "startsAt": "2000-01-01T00:00:00Z"}
    assert alertmanager.post("/api/v2/alerts", json=[ended]).status_code == 200
    resolved = pagerduty.next()

    payload = fired["payload"]
    assert (fired["path"], fired["routing_key"]) == ("/v2/enqueue", KEY)
    assert (fired["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert fired["dedup_key"] == resolved["dedup_key"]  # so that the incident closes itself
    assert (payload["severity"], payload["component"]) == ("critical", "api")
    assert payload["class"] == "CircuitBreakerOpenCritical"
    assert payload["summary"] == "Circuit breaker api-server open >5 minutes"
    assert "look at the upstream" in payload["custom_details"]["firing"]


@pytest.mark.slow
def test_open_circuit_explains_the_warnings_behind_it(alertmanager, pagerduty):
    retries = {
        "labels": {"alertname": "HighRetryRate", "job": "api", "severity": "warning"},
        "annotations": {"summary": "High retry rate", "description": ""},
    }
    elsewhere = {**retries, "labels": {**retries["labels"], "job": "batch"}}

    alertmanager.post("/api/v2/alerts", json=[OPEN, retries, elsewhere])

    told = {(e["payload"]["class"], e["payload"]["component"]) for e in two(pagerduty)}
    assert told == {("CircuitBreakerOpenCritical", "api"), ("HighRetryRate", "batch")}
    listed = alertmanager.get("/api/v2/alerts", params={"inhibited": "true"}).json()
    quiet = [one["labels"]["job"] for one in listed if one["status"]["inhibitedBy"]]
    assert quiet == ["api"]


def two(pagerduty: PagerDuty) -> list[dict]:
    return [pagerduty.next(), pagerduty.next()]

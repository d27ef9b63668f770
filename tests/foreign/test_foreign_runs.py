"""Whole runs with a service written for Node.js: what it says of itself is judged like ours."""

import json
import shutil
from pathlib import Path

import pytest

from tests.runs.conftest import SYSTEM as PAIR, atlas_chaos, run

SYSTEM = Path(__file__).with_name("system") / "foreign.system.yaml"
SCENARIO = """
claim: {name}
system: {system}
load:
  asks: {{service: {service}, request: GET /ask, rate: 40/s, patience: 4s}}
baseline: 1s
steady_state: {{success_ratio: 99%}}
timeline: [{timeline}]
settle: {{at_most: 6s, hold: 1s}}
checks:
{checks}
{more}
"""
OPENS = "breaker_transitions: {breaker: client-portal, closes_within: 2s}"
NEVER_OPENS = "breaker_transitions: {breaker: client-portal, never: true}"
AMPLIFICATION = "retry_amplification: {link: client -> portal_wi}"
RECOVERS = "recovery_time: {load: asks, at_most: 4s, hold: 1s}"
DOWN = "{fault: down, link: client -> portal_wi, at: 1s, for: 2s}"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
]


def write(folder: Path, name: str, *checks: str, timeline: str = DOWN, **more: str) -> Path:
    """Write a scenario about the client for Node.js, or another system, and return its file."""
    system = Path(more.get("system", str(SYSTEM)))
    text = system.read_text().replace("events: http", more.get("events", "events: http"))
    (folder / system.name).write_text(text)
    file = folder / f"{name}.chaos.yaml"
    file.write_text(
        SCENARIO.format(
            name=name,
            system=system.name.partition(".")[0],
            service=more.get("service", "client"),
            timeline=timeline,
            checks="\n".join(f"  - {check}" for check in checks),
            more=more.get("more", ""),
        )
    )
    return file


def results_of(file: Path) -> tuple[dict[str, dict], list[dict]]:
    """Return the worst finding of each check, by its name, and the history."""
    folder = folder_of(file)
    findings = json.loads((folder / "findings.json").read_text())["findings"]
    records = [json.loads(line) for line in (folder / "history.ndjson").read_text().splitlines()]
    return {one["check"].partition("(")[0]: one for one in reversed(findings)}, records


def folder_of(file: Path) -> Path:
    return file.parent / "reports" / "runs" / file.name.removesuffix(".chaos.yaml")


def test_breaker_of_a_foreign_service_is_judged_by_its_live_events(tmp_path):
    file = write(tmp_path, "opens", OPENS, RECOVERS)
    too_long = "breaker_transitions: {breaker: client-portal, stays_open: 3s}"  # it stays for 1 s

    done = run(file)
    defect = atlas_chaos("judge", folder_of(file), "--scenario", write(tmp_path, "lie", too_long))

    findings, records = results_of(file)
    assert findings["breaker_transitions"]["verdict"] == "PASSED", done.stdout
    assert findings["recovery_time"]["verdict"] == "PASSED", done.stdout
    moves = [one["to_state"] for one in records if one["kind"] == "breaker"]
    assert (moves[0], moves[-1]) == ("open", "closed")
    assert [one for one in records if one["kind"] == "gap"] == []
    assert "stayed open for 1." in defect.stdout


def test_retry_of_a_foreign_service_is_judged(tmp_path):
    spoil = "{fault: upstream_response, service: portal_wi, attempts: [1, 2], status: 503"
    retries = "retry_success: {link: client -> portal_wi, attempts: 3, pause: 500ms}"
    timeline = f"{spoil}, at: 1s, for: 1500ms}}"
    file = write(tmp_path, "retries", retries, AMPLIFICATION, NEVER_OPENS, timeline=timeline)

    done = run(file)

    findings, _ = results_of(file)
    for check in ("retry_success", "retry_amplification", "breaker_transitions"):
        assert findings[check]["verdict"] == "PASSED", done.stdout


def test_clock_with_an_origin_of_its_own_is_put_on_ours(tmp_path):
    variables = "variables: {client: {CLIENT_CLOCK: own}}"
    file = write(tmp_path, "own_clock", OPENS, more=variables)

    done = run(file)

    findings, records = results_of(file)
    [note] = [one["value"] for one in records if one.get("name") == "clock_offset"]
    assert note["offset_s"] > 0
    opened_ns = next(one["t_ns"] for one in records if one["kind"] == "breaker")
    applied_ns = next(one["t_ns"] for one in records if one.get("what") == "applied")
    slack_ns = note["uncertainty_s"] * 1e9
    assert applied_ns - 50e6 - slack_ns < opened_ns  # the link is cut before it is read back
    is_sure = note["uncertainty_s"] <= 0.002
    wanted = "PASSED" if is_sure else "INCONCLUSIVE"  # a busy machine answers too late
    assert findings["breaker_transitions"]["verdict"] == wanted, done.stdout


def test_killed_service_leaves_a_gap_that_decides_nothing(tmp_path):
    kill = "{fault: kill, service: client, at: 1s, for: 1s}"
    file = write(tmp_path, "killed", NEVER_OPENS, RECOVERS, timeline=kill)

    done = run(file)

    findings, records = results_of(file)
    gaps = [one for one in records if one["kind"] == "gap" and one["service"] == "client"]
    assert {one["incarnation"] for one in gaps} >= {"1"}
    assert findings["breaker_transitions"]["verdict"] == "INCONCLUSIVE", done.stdout
    assert "events of client.1 are missing" in findings["breaker_transitions"]["reason"]
    assert findings["recovery_time"]["verdict"] == "PASSED", done.stdout
    incarnations = {one["incarnation"] for one in records if one["kind"] == "request"}
    assert incarnations == {"1", "2"}  # it was followed again


def test_service_that_says_nothing_is_judged_from_outside_only(tmp_path):
    breakers = (
        "\nbreakers:\n"
        "  front-back: {service: front, links: [front -> back], open_for: 1s, failures: 5}\n"
    )
    pair = tmp_path / "from" / "pair.system.yaml"
    pair.parent.mkdir()
    pair.write_text(PAIR.read_text() + breakers)
    shows = "success_ratio: {load: asks, during: fault, at_most: 60%}"
    file = write(
        tmp_path,
        "from_outside",
        shows,
        RECOVERS,
        "breaker_transitions: {breaker: front-back}",
        "retry_amplification: {link: front -> back, at_most: 1}",
        timeline=DOWN.replace("client -> portal_wi", "front -> back"),
        system=str(pair),
        service="front",
    )

    done = run(file)

    findings, _ = results_of(file)
    assert done.returncode == 2, done.stdout
    assert findings["success_ratio"]["verdict"] == "PASSED", done.stdout
    assert findings["recovery_time"]["verdict"] == "PASSED", done.stdout
    for check, service in (("breaker_transitions", "front"), ("retry_amplification", "back")):
        assert findings[check]["verdict"] == "INCONCLUSIVE"
        assert findings[check]["reason"] == f"there are no events of {service}"


def test_metrics_of_a_silent_service_are_probed(tmp_path):
    probes = """probes:
  metrics: {service: client, path: /metrics, every: 200ms, format: prometheus}"""
    refused = "value: 'client_answers_total{by=breaker}'"
    opened = "value: 'circuit_breaker_state{name=client-portal}'"
    file = write(
        tmp_path,
        "by_metrics",
        f"probe_value: {{probe: metrics, {refused}, during: run, at_least: 1, holds: ever}}",
        f"probe_value: {{probe: metrics, {opened}, during: fault, equals: '1', holds: ever}}",
        more=probes,
        events="events: none",
    )

    done = run(file)

    findings, records = results_of(file)
    assert findings["probe_value"]["verdict"] == "PASSED", done.stdout
    assert [one for one in records if one["kind"] == "breaker"] == []


def test_the_client_is_short_enough_to_be_read():
    source = (SYSTEM.parent / "client.mjs").read_text().splitlines()

    assert len(source) < 150

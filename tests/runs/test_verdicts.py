"""Whole runs on real processes: each verdict, with its exit code, for the right reason."""

import json

import pytest

from tests.runs.conftest import SYSTEM, atlas_chaos, run

pytestmark = pytest.mark.slow

DOWN = "{fault: down, link: front -> back, at: 1s, for: 1s}"


BITES = "success_ratio: {load: asks, during: fault, at_most: 60%}"
RECOVERS = "recovery_time: {load: asks, at_most: 2s, hold: 1s}"
SURVIVES = "success_ratio: {load: asks, during: fault, at_least: 95%}"


def checks(*each: str) -> str:
    return ", ".join(f"{{{one}}}" for one in each)


def test_a_claim_that_holds_is_passed_and_leaves_reports_and_history(scenario):
    file = scenario("failures_show_and_end", timeline=DOWN, checks=checks(BITES, RECOVERS))

    done = run(file)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED" in done.stdout
    reports = file.parent / "reports"
    folder = reports / "runs" / "failures_show_and_end"
    written = {path.name for path in (*reports.iterdir(), *folder.iterdir())}
    assert {"junit.xml", "summary.md", "summary.json", "allure-results"} <= written
    assert {"history.ndjson", "run.json", "findings.json", "inputs", "logs"} <= written


def test_a_claim_that_is_broken_is_failed_with_expected_and_got(scenario):
    file = scenario("survives", timeline=DOWN, checks=checks(SURVIVES))

    done = run(file)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "at least 95.00%" in done.stdout
    assert "--seed 1" in done.stdout


def test_a_must_fail_scenario_passes_if_its_check_fires(scenario):
    more = "expect: {verdict: FAILED, check: success_ratio}"
    file = scenario("must_fail", timeline=DOWN, checks=checks(SURVIVES, RECOVERS), more=more)

    assert run(file).returncode == 0


def test_a_must_fail_scenario_fails_if_its_check_does_not_fire(scenario):
    more = "expect: {verdict: FAILED, check: recovery_time}"
    file = scenario("must_fail", timeline=DOWN, checks=checks(RECOVERS), more=more)

    assert run(file).returncode == 1


def test_a_fault_on_an_idle_link_is_inconclusive_however_good_the_figures_are(scenario):
    file = scenario("idle", timeline=DOWN, checks=checks(SURVIVES), path="/alone")

    done = run(file)

    assert done.returncode == 2, done.stdout + done.stderr
    assert "fault_effect(0:down)" in done.stdout


def test_a_baseline_that_does_not_hold_injects_nothing_and_is_inconclusive(scenario):
    healthy = SYSTEM.read_text()
    nowhere = "environment: {ATLAS_BACK_ADDRESS: '127.0.0.1:1'}"  # nobody listens on port 1
    sick = healthy.replace("ready_within: 5s", nowhere)
    file = scenario("sick", timeline=DOWN, checks=checks(SURVIVES), system=sick)

    done = run(file)

    assert done.returncode == 2, done.stdout + done.stderr
    history = (file.parent / "reports" / "runs" / "sick" / "history.ndjson").read_text()
    assert '"kind":"fault"' not in history


@pytest.mark.parametrize("proxy", ["embedded", "toxiproxy"])
@pytest.mark.parametrize(
    "timeline",
    [DOWN, "{fault: latency, link: front -> back, delay: 300ms, at: 1s, for: 1s}"],
    ids=["down", "latency"],
)
def test_both_proxies_come_to_the_same_verdict(scenario, proxy, timeline):
    check = (
        BITES
        if "down" in timeline
        else ("latency: {load: asks, during: fault, percentile: p50, at_least: 250ms}")
    )
    file = scenario("same", timeline=timeline, checks=checks(check))

    done = run(file, "--proxy", proxy)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "timeline",
    [
        "{fault: kill, service: back, at: 1s, for: 1s}",
        "{fault: stop, service: back, at: 1s, for: 1s}",
        "{fault: pause, service: back, at: 1s, for: 1500ms}",
        "{fault: reset_peer, link: front -> back, at: 1s, for: 1s}",
        "{fault: timeout, link: front -> back, at: 1s, for: 1500ms}",
    ],
)
def test_faults_are_felt_by_the_client_and_end(scenario, timeline):
    file = scenario(
        "felt",
        timeline=timeline,
        checks=checks("success_ratio: {load: asks, during: fault, at_most: 80%}", RECOVERS),
    )

    done = run(file)

    assert done.returncode == 0, done.stdout + done.stderr


def test_two_faults_may_overlap(scenario):
    timeline = (
        "{fault: down, link: front -> back, at: 1s, for: 1s}, "
        "{fault: pause, service: back, at: 1500ms, for: 1s}"
    )
    file = scenario("overlap", timeline=timeline, checks=checks(BITES, RECOVERS))

    done = run(file)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_saved_run_is_judged_again_and_by_another_bound(scenario):
    file = scenario("again", timeline=DOWN, checks=checks(BITES))
    run(file)
    folder = file.parent / "reports" / "runs" / "again"

    same = atlas_chaos("judge", folder)
    other = atlas_chaos(
        "judge", folder, "--scenario", scenario("other", timeline=DOWN, checks=checks(SURVIVES))
    )

    assert same.returncode == 0, same.stdout + same.stderr
    assert other.returncode == 1, other.stdout + other.stderr


def test_the_same_seed_offers_the_same_load(scenario):
    file = scenario("seeded", timeline=DOWN, checks=checks(BITES))

    offered = []
    for _ in range(2):
        run(file)
        history = (file.parent / "reports" / "runs" / "seeded" / "history.ndjson").read_text()
        records = [json.loads(line) for line in history.splitlines()]
        operations = [one for one in records if one["kind"] == "operation"]
        offered.append([(one["t_ns"], one["call_id"], one["client"]) for one in operations[:80]])

    assert offered[0] == offered[1]


def test_json_output_is_one_document_and_says_what_the_exit_code_says(scenario):
    file = scenario("as_json", timeline=DOWN, checks=checks(BITES))

    done = run(file, "--json")

    assert json.loads(done.stdout)["verdict"] == "PASSED"
    assert done.returncode == 0

"""Every bundled scenario says what it claims, why, and which defect it would find."""

import re
from pathlib import Path

import pytest

from harness.checks import CHECKS
from harness.checks.recovery_time import RecoveryTime
from harness.clock import SystemClock
from harness.composition import load
from harness.environments.choice import make_environment
from harness.model.errors import PlanRefused
from harness.model.run import Environment
from harness.model.scenario import Scenario
from harness.plan import make_plan
from harness.scenario_files import discover
from shadow_atlas.dotted_paths import load as load_attribute

SCENARIOS = Path(__file__).parents[2] / "scenarios"
SUITE = load(discover([SCENARIOS]))
TIME_SCALE = 0.1  # the one that `make chaos` runs them at
PHASES_MAX_S = 50.0  # a ratchet, at that scale; waiting for the steady state comes on top
SUITE_MIN = 24
PLANTED = "shadow_atlas.planted."

each = pytest.mark.parametrize("scenario", SUITE, ids=lambda scenario: scenario.name)


def home(scenario: Scenario) -> Environment:
    """Return where a scenario runs: in containers if it needs what processes do not offer."""
    processes = make_environment("processes", "embedded", SystemClock())
    needed = frozenset().union(*(entry.fault.needs for entry in scenario.timeline))
    if needed <= processes.offers():
        return processes
    return make_environment("compose", "toxiproxy", SystemClock())


def refusals(scenario: Scenario, time_scale: float) -> list[str]:
    """Return why a scenario cannot be planned at a time scale; empty if it can."""
    environment = home(scenario)
    try:
        make_plan(scenario, time_scale=time_scale, environment=environment)
    except PlanRefused as refused:
        return list(refused.reasons)
    return []


def planted(scenario: Scenario) -> list[str]:
    """Return the planted defects that a scenario names in its variables."""
    values = [value for variables in scenario.variables.values() for value in variables.values()]
    return [value for value in values if value.startswith(PLANTED)]


@each
def test_a_scenario_can_be_planned_at_the_scale_of_the_suite(scenario):
    assert refusals(scenario, TIME_SCALE) == []


@each
def test_a_scenario_runs_faster_still_or_names_the_smallest_scale(scenario):
    for reason in refusals(scenario, TIME_SCALE / 2):
        smallest = re.search(r"at time scale 0\.05; from (0\.\d+) on it works", reason)
        assert smallest, reason
        assert refusals(scenario, float(smallest[1])) == []


@each
def test_a_claim_is_a_sentence(scenario):
    assert re.fullmatch(r"[A-Z].*[^.]\.", scenario.claim, re.DOTALL)
    assert len(scenario.claim) < 200, "one claim"


@each
def test_a_reason_names_the_defect_that_would_be_found(scenario):
    if scenario.expect is None:
        assert re.search(r"\bwould\b|\bwithout\b", scenario.reason)
    else:
        assert scenario.reason.startswith("Must fail.")


@each
def test_a_scenario_has_checks_and_tags(scenario):
    assert scenario.checks
    assert scenario.tags
    assert all(re.fullmatch(r"[a-z_]+", tag) for tag in scenario.tags)
    assert len(set(scenario.tags)) == len(scenario.tags)


@each
def test_a_scenario_that_must_fail_names_its_check_and_plants_a_defect(scenario):
    if scenario.expect is None:
        assert "must_fail" not in scenario.tags
        assert planted(scenario) == []
    else:
        assert "must_fail" in scenario.tags
        assert scenario.expect.check in {check.name for check in scenario.checks}
        assert planted(scenario)


@each
def test_what_a_scenario_plants_exists(scenario):
    for value in planted(scenario):
        assert callable(load_attribute(value, variable="a scenario"))


@each
def test_the_phases_of_a_scenario_are_short(scenario):
    phases_s = scenario.settle_start_s + scenario.settle.hold_s

    assert phases_s * TIME_SCALE <= PHASES_MAX_S


@each
def test_a_run_goes_on_until_recovery_can_be_judged(scenario):
    bounds_s = [check.at_most_s for check in scenario.checks if isinstance(check, RecoveryTime)]

    assert scenario.settle.at_most_s >= max(bounds_s, default=0.0)


def test_the_suite_has_a_scenario_for_every_check():
    used = {check.name for scenario in SUITE for check in scenario.checks}

    assert used == {check.name for check in CHECKS}


def test_the_suite_is_a_suite():
    assert len(SUITE) >= SUITE_MIN
    assert len({scenario.claim for scenario in SUITE}) == len(SUITE)

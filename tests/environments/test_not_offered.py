"""What an environment lacks is told before a run, and refused by name if it is asked for."""

from pathlib import Path

import pytest

from harness.composition import load, make_environment
from harness.environments import not_offered
from harness.model.errors import FaultNotApplied

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def test_an_act_is_refused_with_its_name():
    with pytest.raises(FaultNotApplied, match=r"no control over wall clocks: no 'skew'"):
        not_offered.CLOCKS.skew("api", offset_s=60)


def test_a_fault_that_only_containers_offer_is_told_to_those_who_run_processes():
    [scenario] = load([SCENARIOS / "lookups_survive_a_dead_resolver.chaos.yaml"])

    [why] = make_environment("processes", "embedded", clock=None).missing(scenario)

    assert why.startswith("fault 'dns_failure' needs dns control, which only containers offer; ")

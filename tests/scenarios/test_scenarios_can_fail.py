"""Bundled scenarios that pass on the sound system, run on one with a planted defect.

A scenario that cannot fail proves nothing. Each of these has to find the defect that its reason
names, by the check that is there for it. The must-fail scenarios of the suite do the same for
theirs in every `make chaos`.
"""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
RUN_WITHIN_S = 300.0  # three runs of 20 s, each of which takes four times as long on a busy machine

pytestmark = pytest.mark.slow


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A defect, where it is planted, and the scenario and check that have to find it."""

    scenario: str
    service: str
    defect: str
    check: str
    time_scale: float = 0.1


PROOFS = (
    Proof(
        scenario="a_rate_limited_portal_is_given_its_time",
        service="batch",
        defect="retry_after_ignored",
        check="retry_spacing",
    ),
    Proof(
        scenario="a_herd_comes_back_spread_out",
        service="batch",
        defect="retry_without_jitter",
        check="retry_spread",
        # Twenty requests at once are a stall of batch by themselves, 25 ms on two busy cores, and
        # at 0.1 that excuses all of them: what is spread there is spread over 60 ms.
        time_scale=0.5,
    ),
    Proof(
        scenario="a_trickling_portal_is_cut_off",
        service="batch",
        defect="attempt_without_timeout",
        check="answer_source",
    ),
    Proof(
        scenario="a_broken_answer_is_asked_for_once",
        service="batch",
        defect="permanent_errors_retried",
        check="retry_amplification",
    ),
    Proof(
        scenario="an_error_inside_a_200_is_an_error",
        service="batch",
        defect="retry_that_gives_up",
        check="answer_source",
    ),
    Proof(
        scenario="a_frozen_portal_meets_five_requests_at_most",
        service="batch",
        defect="no_bulkhead",
        check="bulkhead",
    ),
    Proof(
        scenario="a_slow_database_opens_the_breaker",
        service="api",
        defect="breaker_that_never_opens",
        check="breaker_transitions",
    ),
    Proof(
        scenario="a_flapping_database_does_not_flap_the_breaker",
        service="batch",
        defect="breaker_that_opens_briefly",
        check="breaker_transitions",
    ),
    Proof(
        scenario="tiger_answers_for_a_dead_portal",
        service="batch",
        defect="breaker_that_never_closes",
        check="breaker_transitions",
    ),
)


@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.defect)
def test_a_scenario_finds_the_defect_that_it_is_there_for(proof, tmp_path):
    file = planted(proof, tmp_path)

    done = run(file, tmp_path / "reports", proof.time_scale)

    findings = json.loads((tmp_path / "reports" / "summary.json").read_text())["runs"][0]
    fired = [one["check"] for one in findings["findings"] if one["verdict"] == "FAILED"]
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(check.startswith(f"{proof.check}(") for check in fired), fired


def planted(proof: Proof, folder: Path) -> Path:
    """Write the scenario anew, with the defect in its variables."""
    original = ROOT / "scenarios" / f"{proof.scenario}.chaos.yaml"
    system = os.path.relpath(original.with_name("shadow_atlas.system.yaml"), folder)
    factory = f"shadow_atlas.planted.{proof.defect}:create_stack"
    yaml = YAML()
    document = yaml.load(original)
    document["system"] = system
    variables = document.setdefault("variables", {}).setdefault(proof.service, {})
    variables["ATLAS_RESILIENCE"] = factory
    file = folder / original.name
    yaml.dump(document, file)
    return file


def run(file: Path, reports: Path, time_scale: float) -> subprocess.CompletedProcess[str]:
    arguments = ["run", str(file), "--seed", "42", "--report-dir", str(reports)]
    arguments += ["--time-scale", str(time_scale)]
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RUN_WITHIN_S,
        check=False,
    )

"""Scenario files under plain pytest: the same runner, the same verdicts, pytest's own options."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs.conftest import ROOT
from tests.runs.test_verdicts import BITES, DOWN, RECOVERS, SURVIVES, checks

pytestmark = pytest.mark.slow


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(folder), "--time-scale", "1", "-v"),
            *("-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT)),
            *("--chaos-report-dir", str(folder / "reports"), *arguments),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_verdicts_become_outcomes_side_by_side_with_junit_and_allure(scenario):
    file = scenario("holds", timeline=DOWN, checks=checks(BITES, RECOVERS))
    scenario("breaks", timeline=DOWN, checks=checks(SURVIVES))
    folder = file.parent

    done = run_pytest(
        folder,
        *(
            "-n",
            "2",
            "--junitxml",
            str(folder / "junit.xml"),
            "--alluredir",
            str(folder / "allure"),
        ),
    )

    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert 'failures="1"' in (folder / "junit.xml").read_text()
    assert len(list((folder / "allure").glob("*-result.json"))) == 2


def test_k_chooses_among_scenarios(scenario):
    file = scenario("holds", timeline=DOWN, checks=checks(BITES, RECOVERS))
    scenario("breaks", timeline=DOWN, checks=checks(SURVIVES))

    done = run_pytest(file.parent, "-k", "holds")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 1 deselected" in done.stdout


def test_a_fault_without_effect_is_an_error_and_never_a_pass(scenario):
    file = scenario("idle", timeline=DOWN, checks=checks(SURVIVES), path="/alone")

    done = run_pytest(file.parent)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 error" in done.stdout
    assert "passed" not in done.stdout.splitlines()[-1]

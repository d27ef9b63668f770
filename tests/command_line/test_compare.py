"""The command `compare`, with its exit codes, on saved runs that are made here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line.saved_runs import saved_run

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def compare(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", "compare", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_equal_runs_are_no_regression(tmp_path):
    done = compare(saved_run(tmp_path / "a"), saved_run(tmp_path / "b"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("no regression\n")
    assert "same within noise" in done.stdout


def test_slower_recovery_is_a_regression(tmp_path):
    done = compare(saved_run(tmp_path / "a"), saved_run(tmp_path / "b", failing_until_s=5.0))

    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.endswith("regression\n")


def test_slower_answers_are_a_regression_and_faster_ones_are_not(tmp_path):
    fast, slow = saved_run(tmp_path / "a"), saved_run(tmp_path / "b", latency_s=0.2)

    assert compare(fast, slow).returncode == 1
    assert compare(slow, fast).returncode == 0


def test_run_without_a_counterpart_cannot_be_told(tmp_path):
    saved_run(tmp_path / "a" / "runs" / "half")
    saved_run(tmp_path / "b" / "runs" / "half")
    saved_run(tmp_path / "b" / "runs" / "new", name="new")

    done = compare(tmp_path / "a", tmp_path / "b")

    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout.endswith("cannot tell\n")


def test_json_says_what_the_exit_code_says(tmp_path):
    done = compare(saved_run(tmp_path / "a"), saved_run(tmp_path / "b", latency_s=0.2), "--json")

    found = json.loads(done.stdout)
    assert (found["schema"], found["answer"]) == (1, "regression")
    (scenario,) = found["scenarios"]
    assert scenario["change"] == "worse"
    assert {row["measure"] for row in scenario["rows"]} >= {"verdict", "recovery (asks)"}


def test_what_is_no_run_or_another_scenario_or_another_scale_is_refused(tmp_path):
    run = saved_run(tmp_path / "a")
    other = saved_run(tmp_path / "b", name="other")
    scaled = saved_run(tmp_path / "c", time_scale=0.5)

    for folder, why in (
        (tmp_path / "nowhere", "holds neither run.json nor runs/*/run.json"),
        (other, "half and other are different scenarios"),
        (scaled, "runs at time scales 1 and 0.5 cannot be compared"),
    ):
        done = compare(run, folder)
        assert done.returncode == 4, done.stdout
        assert why in done.stderr

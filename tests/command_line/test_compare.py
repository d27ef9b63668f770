"""The command `compare`, with its exit codes, on saved runs that are made here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.model.history import to_json
from harness.model.records import NS_PER_S, FaultRecord, Operation, Phase

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
SYSTEM = ROOT / "tests" / "runs" / "system" / "pair.system.yaml"
SCENARIO = """
claim: Half of all requests are answered.
system: pair
load:
  asks: {service: front, request: GET /ask, rate: 40/s}
baseline: 2s
steady_state: {success_ratio: 99%, latency_p95: 400ms}
timeline: [{fault: down, link: front -> back, at: 2s, for: 2s}]
settle: {at_most: 4s, hold: 2s}
checks:
  - success_ratio: {load: asks, during: run, at_least: 50%}
"""
PHASES = (("baseline", 0, 2), ("fault", 2, 4), ("settle", 4, 7))


def operation(index, *, ok, latency_s):
    t_ns = index * NS_PER_S // 40
    return Operation(
        t_ns=t_ns,
        started_ns=t_ns,
        end_ns=t_ns + round(latency_s * NS_PER_S),
        load="asks",
        call_id=f"c{index}",
        client="x",
        method="GET",
        target="/ask",
        outcome="OK" if ok else "FAILED",
        status=200 if ok else 502,
    )


def saved_run(folder, *, name="half", failing_until_s=4.0, latency_s=0.01, time_scale=1.0):
    """Write a run whose operations fail from second 2 on, for a while."""
    (folder / "inputs").mkdir(parents=True)
    (folder / "inputs" / "pair.system.yaml").write_text(SYSTEM.read_text())
    (folder / "inputs" / f"{name}.chaos.yaml").write_text(SCENARIO)
    about = {"schema": 1, "scenario": f"{name}.chaos.yaml", "path": f"{name}.chaos.yaml"}
    about |= {"environment": "processes", "proxy": "embedded", "seed": 1, "run_id": "r"}
    (folder / "run.json").write_text(json.dumps({**about, "time_scale": time_scale}))
    target = {"fault_id": "0:down", "fault": "down", "target": "front -> back"}
    records = [
        *(Phase(t_ns=a * NS_PER_S, end_ns=b * NS_PER_S, name=phase) for phase, a, b in PHASES),
        FaultRecord(t_ns=2 * NS_PER_S, what="applied", **target),
        FaultRecord(t_ns=3 * NS_PER_S, what="effect", count=40, **target),
        FaultRecord(t_ns=4 * NS_PER_S, what="healed", **target),
        *(
            operation(i, ok=not 2.0 <= i / 40 < failing_until_s, latency_s=latency_s)
            for i in range(280)
        ),
    ]
    text = "".join(f"{to_json(record)}\n" for record in records)
    (folder / "history.ndjson").write_text(text)
    return folder


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

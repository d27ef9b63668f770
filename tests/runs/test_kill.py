"""SIGKILL of the harness's whole process group, at 20 seeded instants, leaves a clean world."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from harness.clock import block_s
from tests.runs.conftest import ROOT

pytestmark = pytest.mark.slow

AT_ONCE = 4
STARTING, STARTING_LASTS_S = 7, 3.0  # kills while the system is being started
RUNNING, RUNNING_LASTS_S = 13, 5.0  # and after the load began: 4 s of phases, then the stop
CLEAN_WITHIN_S = 15.0

SYSTEM = """
description: A client, its upstream and a database.
services:
  db: {kind: postgresql}
  back: {command: python tests/runs/system/back.py, ready: GET /}
  front: {command: python tests/runs/system/front.py, ready: GET /ready}
links:
  front -> back: {variable: ATLAS_BACK_ADDRESS}
  front -> db: {variable: ATLAS_DB_ADDRESS}
"""

SCENARIO = """
claim: whatever happens, nothing is left
system: trio
load: {asks: {service: front, request: GET /ask, rate: 20/s, patience: 2s}}
baseline: 1s
timeline:
  - {fault: latency, link: front -> back, delay: 100ms, at: 1s, for: 2s}
  - {fault: pause, service: db, at: 1s, for: 2s}
  - {fault: cpu_pressure, service: back, workers: 2, at: 1200ms, for: 1s}
  - {fault: kill, service: front, at: 2500ms, for: 300ms}
settle: {at_most: 1s, hold: 500ms}
checks: [{success_ratio: {load: asks, during: run, at_least: 10%}}]
"""


def write_scenario(folder: Path, name: str) -> Path:
    (folder / "trio.system.yaml").write_text(SYSTEM)
    file = folder / f"{name}.chaos.yaml"
    file.write_text(SCENARIO)
    return file


def inspect(prefix: str) -> str:
    """Return what a separate process finds of the runs whose id begins so."""
    seen = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("inspect_world.py")), prefix],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return seen.stdout.strip() + seen.stderr.strip()


def kill_at(folder: Path, name: str, instant_s: float, *, after_load: bool) -> str:
    """Kill the harness at an instant, and return what is left 15 s later.

    Args:
        folder: Where the run writes.
        name: Name of its scenario.
        instant_s: When, after the harness was started or after its load began.
        after_load: Which of the two.
    """
    file = write_scenario(folder, name)
    with (folder / f"{name}.log").open("w") as log:
        harness = subprocess.Popen(
            [
                *(sys.executable, "-m", "harness.cli", "run", str(file), "--time-scale", "1"),
                *("--seed", "1", "--report-dir", str(folder)),
            ],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    if after_load:
        wait_for_load(folder / "runs" / name / "load.ndjson")
    block_s(instant_s)
    os.killpg(harness.pid, signal.SIGKILL)
    harness.wait()
    for _ in range(int(CLEAN_WITHIN_S / 0.5)):
        left = inspect(name)
        if not left:
            return ""
        block_s(0.5)
    return left


def wait_for_load(file: Path) -> None:
    for _ in range(1200):
        if file.exists() and file.stat().st_size:
            return
        block_s(0.05)
    raise AssertionError("the load did not begin within 60 s")


def test_a_killed_harness_leaves_nothing_at_any_of_20_instants(tmp_path):
    rng = Random(20)
    kills = [(rng.uniform(0.0, STARTING_LASTS_S), False) for _ in range(STARTING)]
    kills += [(rng.uniform(0.0, RUNNING_LASTS_S), True) for _ in range(RUNNING)]

    def kill(index: int) -> str:
        instant_s, after_load = kills[index]
        folder = tmp_path / str(index)
        folder.mkdir()
        name = f"killed_{os.getpid()}_{index}"
        return kill_at(folder, name, instant_s, after_load=after_load)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        left = list(pool.map(kill, range(len(kills))))

    assert len(kills) == 20
    assert {kill: what for kill, what in zip(kills, left, strict=True) if what} == {}


def test_the_inspector_sees_what_is_there():
    name = f"seen_{os.getpid()}"
    sleeper = subprocess.Popen(["sleep", "30"], env={**os.environ, "ATLAS_CHAOS_RUN": f"{name}-1"})
    try:
        for _ in range(100):
            if inspect(name):
                break
            block_s(0.05)
        assert f"process {sleeper.pid}" in inspect(name)
    finally:
        sleeper.kill()
        sleeper.wait()
    assert inspect(name) == ""

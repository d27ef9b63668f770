"""A part of the harness itself that breaks during a run is a HARNESS_ERROR, soon and clean."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness.clock import SystemClock, block_s
from tests.runs.conftest import ROOT
from tests.runs.test_kill import inspect

pytestmark = pytest.mark.slow

HARNESS_ERROR = 3
LATENCY = "{fault: latency, link: front -> back, delay: 100ms, at: 2s, for: 2s}"


def has_baseline(history: str) -> bool:
    return '"name":"baseline"' in history


def has_fault(history: str) -> bool:
    return '"what":"applied"' in history


class Run:
    """A run in a process of its own, whose parts a test can find and signal."""

    def __init__(self, file: Path) -> None:
        self.name = file.name.removesuffix(".chaos.yaml")
        self._folder = file.parent / "reports" / "runs" / self.name
        self._log = file.with_suffix(".log")
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "harness.cli", "run", str(file), "--time-scale", "1"),
                    *("--seed", "1", "--report-dir", str(file.parent / "reports")),
                ],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )

    def wait_until(self, holds) -> None:
        """Wait until the history says something, at most 60 s."""
        path = self._folder / "history.ndjson"
        for _ in range(1200):
            if path.exists() and holds(path.read_text()):
                return
            assert self._process.poll() is None, self._log.read_text()
            block_s(0.05)
        raise AssertionError(f"the run did not come so far: {self._log.read_text()}")

    def signal(self, module: str, how: signal.Signals) -> None:
        """Signal the one process below the run that runs a module of ours."""
        [found] = [
            process
            for process in psutil.Process(self._process.pid).children(recursive=True)
            if module in process.cmdline()
        ]
        found.send_signal(how)

    def end(self, within_s: float) -> tuple[int, str]:
        """Return the exit code and what was said; killed if it does not end in time."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
        return self._process.returncode, self._log.read_text()


@pytest.fixture
def start(scenario):
    """Start a run of the pair with a name that no other run has."""

    def run(name: str) -> Run:
        return Run(scenario(f"{name}_{os.getpid()}", timeline=LATENCY))

    return run


CASES = {
    # The heal finds it wedged: 5 s for the call, 2 s for a last try, then it is killed.
    "stopped_in_force": ("fault_injectors.proxy", signal.SIGSTOP, has_fault, "FaultNotHealed"),
    "stopped_before": ("fault_injectors.proxy", signal.SIGSTOP, has_baseline, "FaultNotApplied"),
    "proxy_killed": ("fault_injectors.proxy", signal.SIGKILL, has_baseline, "FaultNotApplied"),
    "load_killed": ("harness.load", signal.SIGKILL, has_baseline, "LoadBroke"),
    "watchdog_killed": (
        "harness.environments.watchdog",
        signal.SIGKILL,
        has_fault,
        "the watchdog ended",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_broken_part_is_a_harness_error_within_bounds_and_leaves_nothing(start, case):
    module, how, is_time, told = CASES[case]
    run = start(case)
    run.wait_until(is_time)

    broken_ns = SystemClock().now_ns()
    run.signal(module, how)
    code, said = run.end(within_s=45.0)
    took_s = (SystemClock().now_ns() - broken_ns) / 1e9

    assert code == HARNESS_ERROR, said
    assert "HARNESS ERROR" in said
    assert told in said
    assert took_s < 40.0  # the rest of the run, the bounds of the control API, and the stop
    assert inspect(run.name) == ""

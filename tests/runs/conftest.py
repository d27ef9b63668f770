"""Scenarios about a pair of tiny services, written into a folder of the test."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM = Path(__file__).with_name("system") / "pair.system.yaml"

SCENARIO = """
claim: {claim}
system: pair
load:
  asks: {{service: front, request: GET {path}, rate: 40/s, patience: 2s}}
baseline: 1s
steady_state: {{success_ratio: 99%, latency_p95: 400ms}}
timeline: [{timeline}]
settle: {{at_most: 4s, hold: 1s}}
checks: [{checks}]
{more}
"""


@pytest.fixture
def scenario(tmp_path):
    """Return a function that writes a scenario file and returns its path."""

    def write(
        name: str,
        *,
        timeline: str = "",
        checks: str = "success_ratio: {load: asks, during: run, at_least: 50%}",
        path: str = "/ask",
        more: str = "",
        system: str | None = None,
    ) -> Path:
        text = SYSTEM.read_text() if system is None else system
        (tmp_path / "pair.system.yaml").write_text(text)
        file = tmp_path / f"{name}.chaos.yaml"
        file.write_text(
            SCENARIO.format(claim=name, timeline=timeline, checks=checks, path=path, more=more)
        )
        return file

    return write


def atlas_chaos(*arguments: str | Path, timeout_s: float = 60.0) -> subprocess.CompletedProcess:
    """Run the command and return what it said and how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "harness.cli", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def run(file: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run one scenario in real time into a folder beside its file."""
    reports = file.parent / "reports"
    if reports.exists():
        shutil.rmtree(reports)
    return atlas_chaos(
        "run", file, "--report-dir", reports, "--time-scale", "1", "--seed", "1", *arguments
    )

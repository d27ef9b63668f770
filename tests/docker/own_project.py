"""A Compose project in a folder of a test: the bundled file beside a scenario of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from harness.clock import block_s
from tests.docker.conftest import IMAGES, ROOT, objects_of

TELLS_WITHIN_S = 60.0  # an end of the start took 2 to 25 s
_POLL_S = 0.05

# `tiger` calls nobody: with the proxy that is always there two containers, 2 s to start.
TINY = """
claim: whatever happens, nothing is left
system: shadow_atlas
load: {asks: {service: tiger, request: GET /v1/health, rate: 20/s, patience: 2s}}
baseline: 2s
timeline:
  - {fault: pause, service: tiger, at: 2s, for: 3s}
settle: {at_most: 5s, hold: 1s}
checks: [{success_ratio: {load: asks, during: run, at_least: 10%}}]
"""


def write_project(folder: Path, name: str, scenario: str = TINY) -> Path:
    """Write a project into a folder, and return the file of its scenario.

    Args:
        folder: Where it goes, made if it is not there.
        name: Name of the scenario, and the beginning of the ids of its runs.
        scenario: The scenario.
    """
    for path in ("docker-compose.yml", "docker/toxiproxy.json", str(IMAGES.relative_to(ROOT))):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    shutil.copy(ROOT / "scenarios" / "shadow_atlas.system.yaml", folder)
    file = folder / f"{name}.chaos.yaml"
    file.write_text(scenario)
    return file


def reports_of(file: Path) -> Path:
    return file.parent / "reports"


def arguments_of(file: Path, *, seed: int = 1) -> list[str]:
    """Return the arguments of `atlas-chaos` that run a scenario in containers, in real time."""
    return [
        *("run", str(file), "--environment", "compose", "--time-scale", "1"),
        *("--seed", str(seed), "--report-dir", str(reports_of(file))),
    ]


def begin(file: Path, *, seed: int = 1) -> subprocess.Popen[bytes]:
    """Begin a run in a session of its own; what it says goes to `run.log` beside the scenario."""
    with (file.parent / "run.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "harness.cli", *arguments_of(file, seed=seed)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def end_of(run: subprocess.Popen[bytes], *, within_s: float) -> int:
    """Return the exit code of a run; one that does not end is killed."""
    try:
        return run.wait(timeout=within_s)
    finally:
        if run.returncode is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()


def told_by(file: Path) -> str:
    """Return all that a run said that was begun."""
    return (file.parent / "run.log").read_text()


def wait_until_told(file: Path, words: str, run: subprocess.Popen[bytes]) -> None:
    """Wait until a run has said something."""
    for _ in range(int(TELLS_WITHIN_S / _POLL_S)):
        if words in told_by(file):
            return
        assert run.poll() is None, f"it ended before it said {words!r}:\n{told_by(file)}"
        block_s(_POLL_S)
    raise AssertionError(f"it did not say {words!r} within {TELLS_WITHIN_S:g} s")


def run_folder(file: Path) -> Path:
    return reports_of(file) / "runs" / file.name.removesuffix(".chaos.yaml")


def run_id_of(file: Path) -> str:
    """Return the id of the run of a scenario; it is written before anything is started."""
    return str(json.loads((run_folder(file) / "run.json").read_text())["run_id"])


def leftovers(file: Path) -> list[str]:
    """Return what processes that are not ours find of a run: objects, processes, folders."""
    run_id = run_id_of(file)
    seen = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "runs" / "inspect_world.py"), run_id],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return [*objects_of(run_id), *seen.stdout.splitlines(), *seen.stderr.splitlines()]

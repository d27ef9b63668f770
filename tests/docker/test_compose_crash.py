"""A harness that is killed with its whole process group leaves nothing in the engine."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import psutil
import pytest

from harness.environments import labelled, undo
from harness.environments.compose.machine import find_machine

pytestmark = [pytest.mark.slow, pytest.mark.docker]

SCENARIO = (
    Path(__file__).parents[2]
    / "scenarios"
    / "a_frozen_portal_meets_five_requests_at_most.chaos.yaml"
)
CLEAN_WITHIN_S = 15
# From the first call of Compose to the settle phase of a run that lasts half a minute.
INSTANTS_S = [round(Random(5).uniform(low, low + 5), 1) for low in (0.5, 5, 10, 15, 20)]


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("after_s", INSTANTS_S)
def test_nothing_is_left_of_a_killed_harness(tmp_path, after_s):
    command = [
        *(sys.executable, "-P", "-m", "harness.cli", "run", str(SCENARIO)),
        *("--environment", "compose", "--seed", "3", "--report-dir", str(tmp_path)),
    ]
    harness = subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(after_s)  # noqa: TID251 -- the instant is the test's input
    finally:
        os.killpg(harness.pid, signal.SIGKILL)
        harness.wait(timeout=5)
    [told] = list(tmp_path.glob("runs/*/run.json")) or [None]
    assert told is not None, "killed before the run began; choose a later instant"
    run_id = json.loads(told.read_text())["run_id"]

    time.sleep(CLEAN_WITHIN_S)  # noqa: TID251 -- the promise; what comes back late would be missed

    assert labelled.found(labelled.label_of(run_id), host=find_machine().host) == []
    assert not undo.work_folder(run_id).exists()


def dead_owner() -> str:
    """Return the owner label of a process that lived here and is gone."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(process.pid).create_time()
    process.communicate(b"\n")
    host, namespace, _, _ = labelled.owner().split("|")
    return f"{host}|{namespace}|{process.pid}|{started!r}"


def make_volume(run_id: str, owner: str) -> None:
    labels = (f"{labelled.RUN_LABEL}={run_id}", f"{labelled.OWNER_LABEL}={owner}")
    arguments = [part for label in labels for part in ("--label", label)]
    subprocess.run(["docker", "volume", "create", *arguments], check=True, capture_output=True)


def test_clean_removes_what_a_dead_owner_left_and_spares_all_others(tmp_path):
    host = find_machine().host
    spared = [f"{tmp_path.name}-alive", f"{tmp_path.name}-elsewhere"]
    make_volume(f"{tmp_path.name}-dead", dead_owner())
    make_volume(spared[0], labelled.owner())
    make_volume(spared[1], dead_owner().replace("|pid:", "|other:"))
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "harness.cli", "clean"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

        assert f"run {tmp_path.name}-dead: removed volume" in done.stdout
        assert labelled.found(labelled.label_of(f"{tmp_path.name}-dead"), host=host) == []
        for run_id in spared:
            assert len(labelled.found(labelled.label_of(run_id), host=host)) == 1
    finally:
        for run_id in spared:
            labelled.remove_all(labelled.label_of(run_id), host=host)

"""A harness that is killed with its whole process group leaves nothing in the engine."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import psutil
import pytest

from harness.clock import block_s
from harness.environments import labelled
from harness.environments.compose.machine import find_machine
from tests.docker.own_project import begin, leftovers, run_id_of, wait_until_told, write_project
from tests.runs.conftest import atlas_chaos

pytestmark = [pytest.mark.slow, pytest.mark.docker]

CLEAN_WITHIN_S = 15
STAYS_CLEAN_S = 3  # a request that was on its way when its sender died would be carried out by then
POLL_S = 0.5
# Where harnesses are killed: what the run says before it, when after that (from, to; seconds), and
# how often. On an idle machine a start takes 3.5 s and a stop 1.5 s; on a busy one it takes longer.
STRETCHES = {
    "start": (": start", (0.0, 4.0), 7),
    "fault on": (": fault", (0.0, 1.4), 5),
    "heal": (": fault", (1.5, 2.4), 4),
    "stop": (": stop", (0.0, 1.0), 4),
}

# Five containers, one of which is a one-shot and one has a volume; a fault of each family.
# Healing begins 1.5 s after the first fault.
SCENARIO = """
claim: whatever happens, nothing is left
system: shadow_atlas
load:
  lookups: {service: api, request: "GET /v1/lookup?lat=43.07&lon=-89.40", rate: 20/s, patience: 2s}
baseline: 1s
timeline:
  - {fault: latency, link: api -> tiger, delay: 100ms, at: 1s, for: 2s}
  - {fault: cpu_pressure, service: api, workers: 1, at: 1s, for: 2s}
  - {fault: pause, service: tiger, at: 1500ms, for: 1s}
  - {fault: kill, service: db, at: 2s, for: 1s}
settle: {at_most: 70s, hold: 2500ms}  # the bound is above the open time of a breaker
checks: [{success_ratio: {load: lookups, during: run, at_least: 1%}}]
"""


def instants() -> list[tuple[str, float]]:
    """Return when harnesses are killed: in which stretch, and how long after its beginning."""
    rng = Random(20)
    return [
        (stretch, round(rng.uniform(*after_s), 2))
        for stretch, (_, after_s, kills) in STRETCHES.items()
        for _ in range(kills)
    ]


def watchdog_of(run_id: str) -> psutil.Process:
    for process in psutil.process_iter():
        try:
            if process.cmdline()[-2:] == ["harness.environments.watchdog", run_id]:
                return process
        except psutil.Error:
            continue  # it ended while we looked
    raise AssertionError(f"run {run_id} has no watchdog")


def kill(harness: subprocess.Popen[bytes]) -> None:
    """Kill a harness with its whole process group; one that had ended has nothing to leave."""
    os.killpg(harness.pid, signal.SIGKILL)
    assert harness.wait(timeout=5) == -signal.SIGKILL, "it ended before it could be killed"


def wait_until_clean(file: Path) -> list[str]:
    """Return what is left when the time is over; nothing, if it was clean before and stays so."""
    left = leftovers(file)
    for _ in range(int(CLEAN_WITHIN_S / POLL_S)):
        if not left:
            block_s(STAYS_CLEAN_S)
            return leftovers(file)
        block_s(POLL_S)
        left = leftovers(file)
    return left


def test_there_are_20_instants_in_all_stretches_of_a_run():
    assert len(instants()) == 20
    assert {stretch for stretch, _ in instants()} == set(STRETCHES)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("index", range(20))
def test_nothing_is_left_of_a_killed_harness(tmp_path, index):
    stretch, after_s = instants()[index]
    file = write_project(tmp_path, f"killed_{os.getpid()}_{index}", SCENARIO)
    harness = begin(file, seed=index)
    try:
        wait_until_told(file, STRETCHES[stretch][0], harness)
        block_s(after_s)
    finally:
        kill(harness)

    assert wait_until_clean(file) == []


@pytest.mark.usefixtures("images", "only_clean")
def test_what_a_harness_leaves_that_died_with_its_watchdog_is_removed_by_clean(tmp_path):
    file = write_project(tmp_path, f"both_{os.getpid()}", SCENARIO)
    harness = begin(file)
    try:
        wait_until_told(file, ": fault", harness)
        block_s(1.0)  # until a container is frozen
    finally:
        watchdog_of(run_id_of(file)).kill()
        kill(harness)
    left = leftovers(file)

    done = atlas_chaos("clean")

    assert {each.split()[0] for each in left} >= {"ps", "volume", "network", "folder"}
    assert done.returncode == 0, done.stderr
    assert leftovers(file) == []


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


@pytest.mark.usefixtures("only_clean")
def test_clean_removes_what_a_dead_owner_left_and_spares_all_others():
    host = find_machine().host
    dead, *spared = [f"owned-{os.getpid()}-by-{who}" for who in ("dead", "alive", "elsewhere")]
    make_volume(dead, dead_owner())
    make_volume(spared[0], labelled.owner())
    make_volume(spared[1], dead_owner().replace("|pid:", "|other:"))
    try:
        done = atlas_chaos("clean")

        assert done.returncode == 0, done.stderr
        assert labelled.found(labelled.label_of(dead), host=host) == []
        for run_id in spared:
            assert len(labelled.found(labelled.label_of(run_id), host=host)) == 1
    finally:
        for run_id in spared:
            labelled.remove_all(labelled.label_of(run_id), host=host)

"""Only what a dead owner of our own namespace left is anybody's to remove."""

import os
import subprocess
import sys

import psutil
import pytest

from harness.environments import labelled


def dead_process() -> tuple[int, float]:
    """Return pid and start time of a process that lived and is gone."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(process.pid).create_time()
    process.communicate(b"\n")
    return process.pid, started


def owner_with(pid: int, started: float, **changes: str) -> str:
    host, namespace, _, _ = labelled.owner().split("|")
    return "|".join(
        [changes.get("host", host), changes.get("namespace", namespace), str(pid), repr(started)]
    )


def test_we_are_alive():
    assert not labelled.is_dead(labelled.owner())


def test_an_owner_that_ended_is_dead():
    assert labelled.is_dead(owner_with(*dead_process()))


def test_a_pid_that_somebody_else_has_now_is_dead():
    assert labelled.is_dead(owner_with(os.getpid(), 1.0))


@pytest.mark.parametrize("part", ["host", "namespace"])
def test_an_owner_elsewhere_is_never_known_to_be_dead(part):
    assert not labelled.is_dead(owner_with(*dead_process(), **{part: "elsewhere"}))


@pytest.mark.parametrize("text", ["", "nobody", "a|b|c|d", "1|2|3"])
def test_an_owner_that_cannot_be_read_is_never_known_to_be_dead(text):
    assert not labelled.is_dead(text)


def test_an_engine_that_does_not_answer_leaves_nothing_to_conclude():
    with pytest.raises(labelled.EngineSilent):
        labelled.found("a=b", host="tcp://127.0.0.1:9")

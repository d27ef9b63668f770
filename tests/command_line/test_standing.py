"""`up`, `down` and `run --keep`: a system stands until it is told to go, and leaves nothing."""

import os
import re
import shlex
import signal
import subprocess
import sys

import pytest

from harness.clock import block_s
from harness.environments import world
from harness.environments.standing import Standing, standing_systems
from harness.environments.undo import work_folder
from tests.command_line.first_hour import atlas_chaos, change

pytestmark = pytest.mark.slow

_POLL_S = 0.05
_WITHIN_S = 60.0


@pytest.fixture
def folder(tmp_path):
    """Return a user's folder whose system has a name that no other test uses."""
    assert atlas_chaos(tmp_path, "init").returncode == 0
    name = f"greet_{os.getpid()}"
    (tmp_path / "chaos" / "greetings.system.yaml").rename(
        tmp_path / "chaos" / f"{name}.system.yaml"
    )
    change(
        tmp_path,
        "chaos/greetings_survive_late_names.chaos.yaml",
        "system: greetings",
        f"system: {name}",
    )
    yield tmp_path
    atlas_chaos(tmp_path, "down", name)


def name_of(folder) -> str:
    [path] = (folder / "chaos").glob("*.system.yaml")
    return path.name.partition(".")[0]


def standing(folder) -> Standing | None:
    return next((one for one in standing_systems() if one.system == name_of(folder)), None)


def wait_until(is_so, what: str) -> None:
    for _ in range(int(_WITHIN_S / _POLL_S)):
        if is_so():
            return
        block_s(_POLL_S)
    raise AssertionError(f"not within {_WITHIN_S} s: {what}")


def is_gone(one: Standing) -> bool:
    alive = [run_id for run_id, _ in world.marked_runs() if run_id == one.run_id]
    return not alive and not work_folder(one.run_id).exists()


def test_a_detached_system_stands_until_down(folder):
    up = atlas_chaos(folder, "up", "chaos", "--detach")
    one = standing(folder)
    assert one is not None, up.stderr

    left_alone = atlas_chaos(folder, "clean")
    still = standing(folder)
    down = atlas_chaos(folder, "down", name_of(folder))

    assert up.returncode == 0
    assert f"{one.system} is up; left alone ('atlas-chaos down' stops it)" in left_alone.stdout
    assert still == one
    assert down.stdout == f"{one.system} is down (run {one.run_id})\n"
    assert is_gone(one)


def test_every_command_that_up_shows_works_as_pasted(folder):
    up = atlas_chaos(folder, "up", "chaos", "--detach")

    commands = re.findall(r"^  (curl .*)$", up.stdout, re.MULTILINE)
    answers = [
        subprocess.run([*shlex.split(one), "-f", "-m", "10"], check=False, capture_output=True)
        for one in commands
    ]

    assert len(commands) == 7
    assert [answer.returncode for answer in answers] == [0] * 7
    assert answers[0].stdout == b"Hello, Ada!"


def test_a_second_system_in_the_same_folder_is_refused(folder):
    atlas_chaos(folder, "up", "chaos", "--detach")

    again = atlas_chaos(folder, "up", "chaos", "--detach")

    assert again.returncode == 4
    assert "is up already" in again.stderr


def test_a_keeper_that_is_killed_takes_its_system_along(folder):
    atlas_chaos(folder, "up", "chaos", "--detach")
    one = standing(folder)
    assert one is not None

    os.kill(one.pid, signal.SIGKILL)

    wait_until(lambda: is_gone(one), "the watchdog removes the system")


def test_down_lets_the_keeper_stop_its_system_in_order(folder):
    atlas_chaos(folder, "up", "chaos", "--detach")
    one = standing(folder)
    assert one is not None

    down = atlas_chaos(folder, "down", one.run_id)

    assert down.returncode == 0
    assert is_gone(one)
    assert "is down" in (folder / "reports" / "up" / one.system / "up.log").read_text()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_system_in_the_foreground_ends_with_0_when_told(folder, how):
    running = subprocess.Popen(
        [sys.executable, "-P", "-m", "harness.cli", "up", "chaos"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: standing(folder) is not None, "the system is up")
    one = standing(folder)
    assert one is not None

    running.send_signal(how)
    said, errors = running.communicate(timeout=_WITHIN_S)

    assert running.returncode == 0, errors
    assert said.endswith(f"{one.system} is down\n")
    assert is_gone(one)


def test_a_service_that_does_not_start_takes_all_down_with_its_last_words(folder):
    change(folder, f"chaos/{name_of(folder)}.system.yaml", "chaos/greeter.py", "greeter.py")

    for more in ([], ["--detach"]):
        up = atlas_chaos(folder, "up", "chaos", *more)

        assert up.returncode == 3
        assert "can't open file" in up.stderr
        assert standing(folder) is None


def test_a_kept_system_answers_through_its_fault_proxy_until_down(folder):
    ran = atlas_chaos(folder, "run", "chaos", "--keep", "--seed", "1")
    one = standing(folder)
    assert one is not None, ran.stdout + ran.stderr

    [command] = re.findall(r"^  (curl .*/greeting)$", ran.stderr, re.MULTILINE)
    answer = subprocess.run([*shlex.split(command), "-m", "10"], check=False, capture_output=True)
    down = atlas_chaos(folder, "down", one.system)

    assert answer.stdout == b"Hello, Ada!"  # `Hello again` would mean that the link is dead
    assert f"{one.system} is down" in down.stdout
    assert is_gone(one)


def test_only_one_system_can_be_kept(folder):
    scenario = folder / "chaos" / "greetings_survive_late_names.chaos.yaml"
    (folder / "chaos" / "another.chaos.yaml").write_text(scenario.read_text())

    ran = atlas_chaos(folder, "run", "chaos", "--keep")

    assert ran.returncode == 4
    assert "--keep keeps one system, and 2 scenarios are chosen" in ran.stderr

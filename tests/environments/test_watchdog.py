"""The watchdog undoes and removes everything when the harness vanishes without a word."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import gettempdir

import psutil
import pytest

from harness.environments import world
from harness.environments.guard import watched
from harness.environments.undo import PREFIX, owner_of, undo_all
from harness.environments.world import MARK
from harness.model.errors import HarnessError

pytestmark = pytest.mark.slow

# A stand-in for a harness: starts a watchdog and a marked, frozen child, says so, and waits.
HARNESS = """
import asyncio, os, signal, subprocess, sys
from pathlib import Path
from harness.environments.guard import watched
from harness.environments.world import MARK

async def main():
    async with watched(sys.argv[1], Path(sys.argv[2])) as guard:
        sleeper = subprocess.Popen(
            ["sleep", "60"], env={**os.environ, MARK: sys.argv[1]}, start_new_session=True)
        worker = subprocess.Popen(["sleep", "60"], cwd=guard.folder, start_new_session=True)
        sleeper.send_signal(signal.SIGSTOP)
        print(sleeper.pid, worker.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def start_harness(run_id: str, log: Path) -> tuple[subprocess.Popen[str], list[int]]:
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, run_id, str(log)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert harness.stdout is not None
    pids = [int(word) for word in harness.stdout.readline().split()]
    harness.stdout.close()
    return harness, pids


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def report_in(log: Path) -> dict:
    """Return the report of a watchdog, which it writes after the folder is gone."""
    for _ in range(200):
        if log.read_text().endswith("\n"):
            break
        world.block_s(0.05)
    return json.loads(log.read_text())


def wait_until_gone(pids: list[int], folder: Path, within_s: float = 15.0) -> None:
    """Wait for the condition, with the bound that the design promises."""
    for _ in range(int(within_s / 0.05)):
        if not folder.exists() and not any(is_alive(pid) for pid in pids):
            return
        world.block_s(0.05)
    raise AssertionError(f"left: {[pid for pid in pids if is_alive(pid)]} {folder.exists()=}")


def test_killing_the_whole_process_group_of_the_harness_leaves_nothing(tmp_path):
    run_id = f"watchdog-test-{os.getpid()}"
    folder = Path(gettempdir()) / f"{PREFIX}{run_id}"
    harness, pids = start_harness(run_id, tmp_path / "watchdog.log")
    assert len(pids) == 2
    assert all(is_alive(pid) for pid in pids)
    assert folder.exists()

    os.killpg(harness.pid, signal.SIGKILL)
    harness.wait()

    wait_until_gone(pids, folder)
    report = report_in(tmp_path / "watchdog.log")
    assert report["run_id"] == run_id
    assert sum("killed process" in line for line in report["done"]) == 2


def test_a_released_watchdog_ends_and_touches_nothing(tmp_path):
    run_id = f"released-{os.getpid()}"

    async def run() -> tuple[Path, int]:
        async with watched(run_id, tmp_path / "log") as guard:
            return guard.folder, guard.pid

    folder, pid = asyncio.run(run())

    assert folder.exists()
    assert owner_of(folder) == (run_id, True)
    assert not is_alive(pid)
    undo_all(folder, run_id)
    assert not folder.exists()


def test_an_error_inside_makes_the_watchdog_clean_up(tmp_path):
    run_id = f"error-{os.getpid()}"
    seen: list[tuple[Path, int]] = []

    async def run() -> None:
        async with watched(run_id, tmp_path / "log") as guard:
            child = await asyncio.create_subprocess_exec(
                "sleep", "60", env={**os.environ, MARK: run_id}, start_new_session=True
            )
            seen.append((guard.folder, child.pid))
            raise ValueError("the run broke")

    with pytest.raises(ValueError, match="the run broke"):
        asyncio.run(run())

    [(folder, pid)] = seen
    assert not folder.exists()
    assert not is_alive(pid)


def test_clean_with_another_folder_for_temporary_files_leaves_a_living_run_alone(tmp_path):
    run_id = f"elsewhere-{os.getpid()}"
    clean = [sys.executable, "-m", "harness.cli", "clean"]
    elsewhere = {**os.environ, "TMPDIR": str(tmp_path)}

    def cleaned() -> str:
        done = subprocess.run(clean, env=elsewhere, capture_output=True, text=True, check=True)
        return done.stdout

    async def run() -> tuple[str, bool, str, int]:
        async with watched(run_id, tmp_path / "log") as guard:
            child = await asyncio.create_subprocess_exec(
                "sleep", "60", env={**os.environ, MARK: run_id}, start_new_session=True
            )
            said, lives = cleaned(), is_alive(child.pid)
            os.kill(guard.pid, signal.SIGKILL)
            await guard._process.wait()
            after = cleaned()
            await child.wait()
            return said, lives, after, child.pid

    said, lives, after, pid = asyncio.run(run())

    assert lives
    assert f"run {run_id}: guarded by its own watchdog; left alone" in said
    assert f"run {run_id}: killed process {pid} sleep 60" in after
    undo_all(Path(gettempdir()) / f"{PREFIX}{run_id}", run_id)


def test_a_watchdog_that_died_is_noticed(tmp_path):
    async def run() -> None:
        async with watched(f"died-{os.getpid()}", tmp_path / "log") as guard:
            folders.append(guard.folder)
            guard.check_alive()
            os.kill(guard.pid, signal.SIGKILL)
            for _ in range(200):
                await asyncio.sleep(0.01)
                guard.check_alive()

    folders: list[Path] = []
    with pytest.raises(HarnessError, match="watchdog ended with code -9"):
        asyncio.run(run())
    undo_all(folders[0], folders[0].name.removeprefix(PREFIX))


def test_ctrl_c_and_sigterm_do_not_stop_the_watchdog(tmp_path):
    async def run() -> None:
        async with watched(f"signals-{os.getpid()}", tmp_path / "log") as guard:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(guard.pid, number)
            await asyncio.sleep(0)
            folders.append(guard.folder)

    folders: list[Path] = []
    asyncio.run(run())  # a watchdog that had ended would have made the release fail

    undo_all(folders[0], folders[0].name.removeprefix(PREFIX))


def test_pending_limits_and_frozen_processes_are_undone_first(tmp_path):
    run_id = f"undo-{os.getpid()}"
    sleeper = subprocess.Popen(["sleep", "60"])
    os.kill(sleeper.pid, signal.SIGSTOP)
    started = psutil.Process(sleeper.pid).create_time()
    entry = {"kind": "signal", "pid": sleeper.pid, "started": started}
    (tmp_path / "journal.ndjson").write_text(
        json.dumps({"entry": 0, "act": "pause it", "undo": entry}) + "\n"
    )

    done = undo_all(tmp_path, run_id)

    assert done == ["undid pause it", f"removed {tmp_path}"]
    assert psutil.Process(sleeper.pid).status() != psutil.STATUS_STOPPED
    sleeper.kill()
    sleeper.wait()


def test_the_pid_of_an_undo_that_was_given_to_another_process_is_left_alone(tmp_path):
    sleeper = subprocess.Popen(["sleep", "60"])
    os.kill(sleeper.pid, signal.SIGSTOP)
    entry = {"kind": "signal", "pid": sleeper.pid, "started": 1.0}
    (tmp_path / "journal.ndjson").write_text(
        json.dumps({"entry": 0, "act": "pause it", "undo": entry}) + "\n"
    )
    for _ in range(100):
        if psutil.Process(sleeper.pid).status() == psutil.STATUS_STOPPED:
            break
        world.block_s(0.01)

    undo_all(tmp_path, f"undo-{os.getpid()}")

    assert psutil.Process(sleeper.pid).status() == psutil.STATUS_STOPPED
    sleeper.kill()
    sleeper.wait()

"""Find and remove what a run started: processes by their mark, files by their folder.

A process belongs to a run if its environment carries the run's mark or its working directory lies
in the run's work folder (PostgreSQL overwrites the memory that `/proc/PID/environ` shows, but
works in its data directory). A zombie is dead and only waits for its parent: it is no leftover.
"""

import ctypes
import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.clock import block_s

MARK = "ATLAS_CHAOS_RUN"
WATCHDOG = "harness.environments.watchdog"  # the module that guards a run, whose id is its argument
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """A process or folder that a run left behind."""

    run_id: str
    what: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.what} (run {self.run_id})"


def become_subreaper() -> None:
    """Make orphans of our children our children, so that none of them becomes an unseen zombie."""
    if os.uname().sysname != "Linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def mark_of(process: psutil.Process) -> str | None:
    """Return the id of the run that a process is marked with; None if we may not know."""
    try:
        mark: str | None = process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None
    return mark


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        cwd = process.cwd()
    except (psutil.Error, OSError):
        return False
    # The kernel adds " (deleted)" to the path of a folder that is gone.
    return Path(cwd.removesuffix(" (deleted)")).is_relative_to(folder)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def processes_of(run_id: str, folder: Path) -> list[psutil.Process]:
    """Return the living processes of a run, without ourselves."""
    me = os.getpid()
    return [
        process
        for process in psutil.process_iter()
        if process.pid != me
        and (mark_of(process) == run_id or _works_in(process, folder))
        and _is_alive(process)
    ]


def marked_runs() -> Iterator[tuple[str, psutil.Process]]:
    """Yield run id and process of every living marked process of this machine."""
    for process in psutil.process_iter():
        mark = mark_of(process)
        if mark and process.pid != os.getpid() and _is_alive(process):
            yield mark, process


def is_guarded(run_id: str) -> bool:
    """Say whether the watchdog of a run lives, wherever on this machine its work folder is."""
    return any(
        process.info["cmdline"][-2:] == [WATCHDOG, run_id] and _is_alive(process)
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"]
    )


def kill_all(run_id: str, folder: Path, *, within_s: float = 10.0) -> list[str]:
    """Kill every process of a run and wait until all are gone.

    Returns:
        What was killed, one line a process. Kills again what appears meanwhile: a service that was
        just forking is caught in the second round.

    Raises:
        TimeoutError: If one of them still lives after `within_s` seconds.
    """
    killed: list[str] = []
    rounds = max(1, int(within_s / 0.05))
    for _ in range(rounds):
        alive = processes_of(run_id, folder)
        if not alive:
            return killed
        for process in alive:
            killed += _kill(process)
        reap(alive)
        block_s(0.05)
    raise TimeoutError(f"still alive after {within_s} s: {processes_of(run_id, folder)}")


def _kill(process: psutil.Process) -> list[str]:
    try:
        line = f"process {process.pid} {' '.join(process.cmdline()[:4])}"
        process.send_signal(signal.SIGKILL)  # works on a stopped process too
    except psutil.Error:
        return []
    return [line]


def reap(processes: list[psutil.Process]) -> None:
    """Collect the exit of orphans that became our children; others' children are left alone."""
    for process in processes:
        try:
            os.waitpid(process.pid, os.WNOHANG)
        except ChildProcessError:
            continue


def leftovers(run_id: str, folder: Path) -> list[Leftover]:
    """Return what of a run is still there: processes and its work folder."""
    found = [
        Leftover(run_id=run_id, what=f"process {process.pid} {process.name()}")
        for process in processes_of(run_id, folder)
    ]
    if folder.exists():
        found.append(Leftover(run_id=run_id, what=f"folder {folder}"))
    return found


def remove_folder(folder: Path) -> None:
    """Remove a work folder; a folder that is gone already is fine."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        shutil.rmtree(folder)  # once more, and this time say why not

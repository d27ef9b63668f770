"""Undo what a journal says is still due, then remove all that the run started.

Used by the watchdog at the end of a killed harness and by `atlas-chaos clean`.
"""

import json
import resource
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import psutil

from harness.environments import labelled, world
from harness.environments.journal import pending

OWNER = "owner.json"
PREFIX = "atlas-chaos-"


def work_folders() -> Iterator[Path]:
    """Yield the work folders of all runs on this machine, living and dead."""
    for path in sorted(Path(gettempdir()).glob(f"{PREFIX}*")):
        if (path / OWNER).exists():
            yield path


def work_folder(run_id: str) -> Path:
    """Return where the work folder of a run is, or was."""
    return Path(gettempdir()) / f"{PREFIX}{run_id}"


def make_work_folder(run_id: str, *, owner: int) -> Path:
    """Create the work folder of a run and note in it the pid of its owner.

    Others may enter but not list it (mode 711): PostgreSQL runs as another user inside it.
    """
    folder = work_folder(run_id)
    folder.mkdir(mode=0o711)
    folder.chmod(0o711)  # the umask must not narrow it
    write_owner(folder, run_id, owner)
    return folder


def write_owner(folder: Path, run_id: str, pid: int) -> None:
    """Note which process a run belongs to; pid and start time together are unique."""
    try:
        started = psutil.Process(pid).create_time() if pid else 0.0
    except psutil.NoSuchProcess:
        started = 0.0  # dead already, so nobody will be found to own the folder
    owner = {"run_id": run_id, "pid": pid, "started": started}
    (folder / OWNER).write_text(json.dumps(owner))


def owner_of(folder: Path) -> tuple[str, bool]:
    """Return the run id of a work folder, and whether its owner is alive."""
    owner = json.loads((folder / OWNER).read_text())
    try:
        alive = psutil.Process(owner["pid"]).create_time() == owner["started"]
    except psutil.Error:
        alive = False
    return str(owner["run_id"]), bool(owner["pid"]) and alive


def _undo_signal(undo: Mapping[str, Any]) -> None:
    """Let a frozen process go on."""
    process = psutil.Process(undo["pid"])
    if process.create_time() == undo["started"]:
        process.send_signal(signal.SIGCONT)


def _undo_limit(undo: Mapping[str, Any]) -> None:
    """Give a process its resource limit back."""
    process = psutil.Process(undo["pid"])
    if process.create_time() == undo["started"]:
        limits = (undo["soft"], undo["hard"])
        resource.prlimit(undo["pid"], undo["resource"], limits)


def _undo_affinity(undo: Mapping[str, Any]) -> None:
    """Let a process use its processors again."""
    process = psutil.Process(undo["pid"])
    if process.create_time() == undo["started"]:
        process.cpu_affinity(list(undo["cpus"]))


def _undo_with_process(undo: Mapping[str, Any]) -> None:
    """Do nothing: the effect lives in a process of the run and ends with it, below."""
    _ = undo


_UNDO: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
    "signal": _undo_signal,
    "limit": _undo_limit,
    "affinity": _undo_affinity,
    "ends_with_process": _undo_with_process,
    labelled.RUN_LABEL: _undo_with_process,
}


def undo_all(folder: Path, run_id: str) -> list[str]:
    """Undo a run's pending acts, newest first, kill its processes and remove its folder.

    Returns:
        What was done, one line each.

    Raises:
        TimeoutError: If a process cannot be killed, or a container cannot be removed.
        OSError: If there are containers and their engine does not answer.
    """
    done = []
    due = pending(folder)
    for entry in due:
        undo = entry["undo"]
        try:
            _UNDO[undo["kind"]](undo)
        except (psutil.Error, OSError, KeyError) as error:
            done.append(f"could not undo {entry['act']}: {error!r}; its process is killed anyway")
            continue
        done.append(f"undid {entry['act']}")
    done += [f"killed {line}" for line in world.kill_all(run_id, folder)]
    done += _remove_labelled(due)
    if folder.exists():
        world.remove_folder(folder)
        done.append(f"removed {folder}")
    return done


def in_engine(due: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return those entries of a journal whose effect outlives all processes of the run."""
    return [entry for entry in due if entry["undo"]["kind"] == labelled.RUN_LABEL]


def _remove_labelled(due: Sequence[Mapping[str, Any]]) -> list[str]:
    """Remove containers, networks and volumes, now that no Compose of the run makes more."""
    undos = [entry["undo"] for entry in in_engine(due)]
    return [
        line for undo in undos for line in labelled.remove_all(undo["label"], host=undo["host"])
    ]

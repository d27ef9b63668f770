"""Systems that stand without a run: what `up` and `run --keep` leave for people to look at.

The description lies in the work folder, beside its owner, so whatever removes the folder forgets
the system too. A system of `up` has a living owner, the process of `up`; it ends when that is told
to, or when it dies, by its watchdog. A kept system outlived its run and has no owner any more.
"""

import dataclasses
import json
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.clock import block_s
from harness.environments import undo

STANDING = "standing.json"
_STOP_WITHIN_S = 60.0  # all services one after the other, each within its own bound
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A system that is up, and how to reach its parts.

    Args:
        run_id: Name of what started it.
        system: Name of the system.
        path: The system's file.
        time_scale: Factor on the durations of its services.
        pid: The process that started it.
        services: `host:port` by service.
        links: Where the client of a link finds its server, `host:port` of the fault proxy.
        proxy: `host:port` of the fault proxy's control API.
        token: The chaos token of its services.
        folder: Holds `events` and `logs`.
    """

    run_id: str
    system: str
    path: str
    time_scale: float
    pid: int
    services: Mapping[str, str]
    links: Mapping[str, str]
    proxy: str
    token: str
    folder: str


def note(standing: Standing) -> None:
    """Write a description into the work folder, for our user's eyes: it holds the token."""
    path = undo.work_folder(standing.run_id) / STANDING
    beside = path.with_suffix(".new")  # a reader sees all of it or nothing
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 -- a descriptor, no path
        json.dump(dataclasses.asdict(standing), file)
    beside.replace(path)


def standing_systems() -> Iterator[Standing]:
    """Yield the systems of ours that stand on this machine; those of other users are not ours."""
    for folder in undo.work_folders():
        standing = standing_in(folder)
        if standing is not None:
            yield standing


def standing_in(folder: Path) -> Standing | None:
    """Return the system that a work folder belongs to; None if it is a run's own."""
    try:
        text = (folder / STANDING).read_text(encoding="utf-8")
    except (FileNotFoundError, PermissionError):
        return None
    return Standing(**json.loads(text))


def take_down(standing: Standing) -> list[str]:
    """Stop a standing system and remove its traces.

    Returns:
        What had to be killed, one line each; nothing if its owner stopped it in an orderly way.

    Raises:
        TimeoutError: If a process cannot be killed.
    """
    folder = undo.work_folder(standing.run_id)
    if folder.exists() and undo.owner_of(folder)[1]:
        os.kill(standing.pid, signal.SIGTERM)
        for _ in range(int(_STOP_WITHIN_S / _POLL_S)):
            if not folder.exists():
                return []
            block_s(_POLL_S)
    return undo.undo_all(folder, standing.run_id)

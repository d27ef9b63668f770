"""Find and remove what a run made in a Docker engine: all of it carries the run's label.

Spoken through the `docker` command line, because the watchdog has to stay light and has to work
long after the harness, its libraries and its virtual environment may be gone.
"""

import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.clock import block_s

RUN_LABEL = "atlas-chaos.run"
OWNER_LABEL = "atlas-chaos.owner"
_COMMAND_WITHIN_S = 20.0  # removing a container took 0.4 s, and ten of them 3 s on busy cores
_WITHIN_S = 60.0
_QUIET_S = 2.0  # a request that was on its way when its sender died is carried out below this
_POLL_S = 0.5
_LIST = {
    "container": ("ps", "--all", "--quiet", "--no-trunc"),
    "network": ("network", "ls", "--quiet", "--no-trunc"),
    "volume": ("volume", "ls", "--quiet"),
}
# Networks and volumes cannot go before the containers that use them.
_REMOVE = {
    "container": ("rm", "--force", "--volumes"),
    "network": ("network", "rm"),
    "volume": ("volume", "rm", "--force"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A container, network or volume that carries a label."""

    kind: str
    id: str

    def __str__(self) -> str:
        """Return one line for people."""
        return f"{self.kind} {self.id[:24]}"


class EngineSilent(OSError):
    """The Docker engine did not answer, so nobody knows what is left in it."""


def label_of(run_id: str) -> str:
    """Return the label of all that a run makes, as filters want it.

    >>> label_of("a-1")
    'atlas-chaos.run=a-1'
    """
    return f"{RUN_LABEL}={run_id}"


def owner() -> str:
    """Return who we are: host, pid namespace, pid and start time.

    From another pid namespace every owner looks dead, so the namespace is part of the name.
    """
    me = psutil.Process()
    return f"{platform.node()}|{_namespace()}|{me.pid}|{me.create_time()!r}"


def is_dead(owned_by: str) -> bool:
    """Say whether an owner is known to be dead; one that we could not see is never."""
    parts = owned_by.split("|")
    if len(parts) != len(owner().split("|")) or parts[:2] != [platform.node(), _namespace()]:
        return False
    try:
        return psutil.Process(int(parts[2])).create_time() != float(parts[3])
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, ValueError):
        return False


def found(label: str, *, host: str) -> list[Labelled]:
    """Return everything that carries a label.

    Args:
        label: `name=value`, or a name for any value.
        host: The engine, as `DOCKER_HOST` says it.

    Raises:
        EngineSilent: If the engine does not answer.
    """
    return [
        Labelled(kind=kind, id=line)
        for kind, command in _LIST.items()
        for line in _ask([*command, "--filter", f"label={label}"], host).split()
    ]


def remove_all(label: str, *, host: str, within_s: float = _WITHIN_S) -> list[str]:
    """Remove everything that carries a label, until nothing was found for 2 s.

    Returns:
        What was removed, one line each.

    Raises:
        TimeoutError: If something is still there after `within_s` seconds, naming it.
        EngineSilent: If the engine does not answer.
    """
    removed: dict[Labelled, None] = {}
    quiet_s = 0.0
    left: list[Labelled] = []
    for _ in range(int(within_s / _POLL_S)):
        left = found(label, host=host)
        if not left and quiet_s >= _QUIET_S:
            return [f"removed {one}" for one in removed]
        quiet_s = 0.0 if left else quiet_s + _POLL_S
        removed |= dict.fromkeys(left)
        _remove(left, host)
        block_s(_POLL_S)
    raise TimeoutError(f"still there after {within_s:g} s: {', '.join(map(str, left))}")


def _remove(things: Sequence[Labelled], host: str) -> None:
    """Try to remove things; what refuses is found again in the next round."""
    for kind, command in _REMOVE.items():
        ids = [one.id for one in things if one.kind == kind]
        if ids and kind == "container":
            _run(["unpause", *ids], host)  # refused for those that run, which is as well
        if ids:
            _run([*command, *ids], host)


def orphans(*, host: str) -> Iterator[str]:
    """Yield the ids of runs whose owner is dead and of which something is left.

    Raises:
        EngineSilent: If the engine does not answer.
    """
    seen: set[str] = set()
    form = '{{index .Labels "%s"}} {{index .Labels "%s"}}' % (RUN_LABEL, OWNER_LABEL)  # noqa: UP031
    inspect = form.replace(".Labels", ".Config.Labels")
    for thing in found(OWNER_LABEL, host=host):
        shown = inspect if thing.kind == "container" else form
        try:
            told = _ask([thing.kind, "inspect", "--format", shown, thing.id], host)
        except EngineSilent:
            continue  # removed meanwhile by its own run
        run_id, _, owned_by = told.strip().partition(" ")
        if run_id and run_id not in seen and is_dead(owned_by):
            seen.add(run_id)
            yield run_id


def _ask(arguments: Sequence[str], host: str) -> str:
    done = _run(arguments, host)
    if done is None or done.returncode != 0:
        why = "no answer in time" if done is None else done.stderr.strip()
        raise EngineSilent(f"docker {' '.join(arguments)}: {why}")
    return done.stdout


def _run(arguments: Sequence[str], host: str) -> subprocess.CompletedProcess[str] | None:
    """Run a command of Docker; None if it did not end in time."""
    try:
        return subprocess.run(  # noqa: S603 -- the arguments are ours
            ["docker", *arguments],  # noqa: S607 -- wherever the user has it
            env={**os.environ, "DOCKER_HOST": host},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=_COMMAND_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    except FileNotFoundError as error:
        raise EngineSilent("docker is not on PATH") from error


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return "unknown"

"""Start, signal and stop one process of a run."""

import asyncio
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from harness.model.errors import HarnessError

_REAP_WITHIN_S = 5.0  # the kernel needs milliseconds; this is for a machine that swaps


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to start.

    Args:
        argv: Program and arguments.
        environment: The whole environment of the process; it carries the run's mark.
        log: File that standard output and error are appended to.
        user: User to run as; None: ours.
        cwd: Working directory; None: ours.
        descriptors: Descriptors that it inherits, under their numbers.
        reads: File that is its standard input.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    user: str | None = None
    cwd: Path | None = None
    descriptors: tuple[int, ...] = ()
    reads: Path = Path(os.devnull)


async def spawn(command: Command) -> Process:
    """Start a process in a session of its own, so that Ctrl-C reaches only the harness.

    Raises:
        HarnessError: If the program cannot be started.
    """
    with command.log.open("ab") as log, command.reads.open("rb") as reads:
        try:
            return await asyncio.create_subprocess_exec(
                *command.argv,
                env=dict(command.environment),
                stdin=reads,
                stdout=log,
                stderr=log,
                user=command.user,
                extra_groups=[] if command.user else None,
                cwd=command.cwd,
                start_new_session=True,
                pass_fds=command.descriptors,
            )
        except OSError as error:
            raise HarnessError(f"cannot start {command.argv[0]!r}: {_why(error)}") from error


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such program; is it installed, on PATH, and is this the right folder?"
    return str(error)


async def stop(process: Process, *, how: signal.Signals, within_s: float) -> bool:
    """Ask a process to end and wait; kill it after `within_s` seconds.

    Returns:
        Whether it ended by itself in time.
    """
    if process.returncode is not None:
        return True
    _send(process, signal.SIGCONT)  # a frozen process cannot hear the signal that follows
    _send(process, how)
    try:
        async with asyncio.timeout(within_s):
            await process.wait()
    except TimeoutError:
        await kill(process)
        return False
    return True


async def kill(process: Process) -> None:
    """Kill a process with SIGKILL and wait until it is gone.

    Raises:
        HarnessError: If the kernel does not report its end in 5 s.
    """
    _send(process, signal.SIGKILL)
    try:
        async with asyncio.timeout(_REAP_WITHIN_S):
            await process.wait()
    except TimeoutError as error:
        raise HarnessError(f"process {process.pid} survived SIGKILL") from error


def _send(process: Process, how: signal.Signals) -> None:
    if process.returncode is None:
        try:
            process.send_signal(how)
        except ProcessLookupError:
            return  # it ended between the look and the signal


def signal_pid(pid: int, how: signal.Signals) -> None:
    """Send a signal to a process that may be gone by now."""
    try:
        os.kill(pid, how)
    except ProcessLookupError:
        return


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log, for error messages; empty if there is none."""
    if not log.exists():
        return ""
    text = log.read_bytes()[-8192:].decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def inherited_environment(**extra: str) -> dict[str, str]:
    """Return our environment without proxy and ATLAS variables, with `extra` on top.

    A proxy variable of the user's shell must not reroute loopback traffic, and nothing of another
    run may leak in. Coverage of the harness is not for its services: tracing would slow them.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.upper().endswith("_PROXY") and not key.startswith(("ATLAS_", "COV"))
    }
    return kept | extra


def state_of(pid: int) -> str:
    """Return the kernel's word for the state of a process, e.g. `stopped`; `gone` without one."""
    try:
        return str(psutil.Process(pid).status())
    except psutil.Error:
        return "gone"

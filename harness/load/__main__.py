"""Run the load process: `python -m harness.load FILE`, plan and orders on standard input."""

import asyncio
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

from harness.clock import SystemClock
from harness.load.worker import HarnessGone, work

_PRIORITY = 1  # of real time: beside four busy loops p99 lateness is 0.3 ms instead of 4.6 ms


def main(arguments: list[str]) -> int:
    """Return 0 when the load ended as planned or as told, 1 when it could not be offered."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the harness's; it then tells us
    _raise_descriptor_limit()
    _raise_priority()
    status = 0
    try:
        asyncio.run(work(Path(arguments[0]), clock=SystemClock()))
    except* HarnessGone:
        status = 1  # nobody is left to be told
    except* OSError as group:
        status = 1
        for error in _leaves(group):
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
    return status


def _raise_descriptor_limit() -> None:
    """Allow as many sockets as the system lets us: operations in flight are rate times latency."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _raise_priority() -> None:
    """Run before busy neighbours where we may, as tools that measure latency do.

    A nice value would not do: Linux shares the processors by session first, so the neighbours'
    sessions keep their shares whatever ours says. Only root may; everybody else's lateness is
    measured and judged all the same.
    """
    if hasattr(os, "sched_setscheduler"):  # Linux
        with suppress(PermissionError):
            policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
            os.sched_setscheduler(0, policy, os.sched_param(_PRIORITY))


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for part in error.exceptions for leaf in _leaves(part)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

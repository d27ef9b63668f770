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

_PRIORITY = -10  # measured beside two busy loops: 0.5 ms instead of 3.4 ms


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
    """Run before busy neighbours where we may: on a loaded machine p99 lateness falls to a sixth.

    Only root may; everybody else's lateness is measured and judged all the same.
    """
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)


def _leaves(error: BaseException) -> list[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for part in error.exceptions for leaf in _leaves(part)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

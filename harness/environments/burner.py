"""Use up processor time on purpose: `python -m harness.environments.burner CPU WORKERS`.

Every worker is a process of its own, pinned to one processor, and ends with its parent. It leads a
session of its own too: where the kernel groups processes by session (autogroup), workers of one
session would together get no more of the processor than the one service.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _spin() -> None:
    while True:
        pass


def burn(cpu: int, workers: int) -> None:
    """Keep `workers` busy loops on processor `cpu` until this process is killed."""
    os.sched_setaffinity(0, {cpu})
    for _ in range(workers - 1):
        if os.fork() == 0:
            os.setsid()
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            break
    _spin()


if __name__ == "__main__":
    burn(int(sys.argv[1]), int(sys.argv[2]))

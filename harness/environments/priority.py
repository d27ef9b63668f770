"""Let a process that starts take what others leave of the processors.

Starting a service takes half a second of a processor, and five start beside runs that are being
measured. With three such runs on two cores, services waited up to 0.8 s of a second for a
processor; since starts yield, up to 0.5 s.

Linux gives each session an autogroup with a nice value of its own (sched(7)). Where there are no
autogroups, or control groups take their place, nothing happens.
"""

import errno
from pathlib import Path

from harness.clock import Clock

_YIELDING = 10  # a tenth of the weight of what has 0
_TRIES = 30
_AGAIN_S = 0.1  # how often the kernel lets a user without CAP_SYS_ADMIN change a value


def lower(pid: int) -> bool:
    """Let the session of a process yield to others; return whether it does."""
    try:
        _set(pid, _YIELDING)
    except OSError:
        return False
    return True


async def restore(pid: int, clock: Clock) -> None:
    """Give the session of a process its full share again; one that is gone needs none."""
    for _ in range(_TRIES):
        try:
            _set(pid, 0)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return
            await clock.sleep(_AGAIN_S)
        else:
            return


def _set(pid: int, nice: int) -> None:
    Path(f"/proc/{pid}/autogroup").write_text(str(nice), encoding="ascii")

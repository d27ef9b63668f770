"""Time as the layer sees it: one monotonic clock for every decision, wall time for display only."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits; every part of the layer is handed one and reads no other."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary origin; never goes backwards."""
        ...

    def wall(self) -> float:
        """Return Unix seconds; may jump, so nothing is decided by it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task for `seconds`; a cancel ends it at once."""
        ...


class SystemClock:
    """The clocks of this machine.

    The methods are the built-in functions themselves: a Python frame around each of them would
    cost as much as half a guarded call.
    """

    __slots__ = ()

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    async def sleep(self, seconds: float) -> None:
        """Suspend the calling task for `seconds` of real time."""
        await asyncio.sleep(seconds)


def thread_cpu_s() -> float:
    """Return the CPU seconds that the calling thread has used."""
    return time.thread_time()

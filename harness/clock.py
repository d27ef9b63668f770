"""Own the real clocks of the harness: the only module that reads or waits for real time."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tell and wait for time; a real one here, a virtual one in a simulation."""

    def now_ns(self) -> int:
        """Return the monotonic time in nanoseconds, comparable between processes of one host."""
        ...

    def wall_unix_ns(self) -> int:
        """Return the wall-clock time in nanoseconds since the Unix epoch, for display only."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait for `delay_s` seconds; a negative delay returns at the next loop step."""
        ...


class SystemClock:
    """Read CLOCK_MONOTONIC and the wall clock of this host."""

    def now_ns(self) -> int:
        """Return CLOCK_MONOTONIC in nanoseconds."""
        return time.monotonic_ns()

    def wall_unix_ns(self) -> int:
        """Return the wall clock in nanoseconds since the Unix epoch."""
        return time.time_ns()

    async def sleep(self, delay_s: float) -> None:
        """Wait on the running event loop."""
        await asyncio.sleep(max(0.0, delay_s))


def block_s(delay_s: float) -> None:
    """Block this thread for `delay_s` seconds; for processes that have no event loop."""
    time.sleep(max(0.0, delay_s))

"""Own the real clocks of the services; everywhere else a clock is an argument."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tell time and wait; it is also a clock for the resilience layer, which lacks only `_ns`."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary fixed instant; never goes back."""
        ...

    def monotonic_ns(self) -> int:
        """Return `monotonic` as whole nanoseconds, for event records."""
        ...

    def wall(self) -> float:
        """Return Unix seconds; may jump, so it only dates what people read."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` seconds of this clock."""
        ...


class SystemClock:
    """Read the clocks of this host (CLOCK_MONOTONIC is shared by all its processes)."""

    def monotonic(self) -> float:
        """Return CLOCK_MONOTONIC in seconds."""
        return time.monotonic()

    def monotonic_ns(self) -> int:
        """Return CLOCK_MONOTONIC in nanoseconds."""
        return time.monotonic_ns()

    def wall(self) -> float:
        """Return Unix seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` real seconds."""
        await asyncio.sleep(seconds)

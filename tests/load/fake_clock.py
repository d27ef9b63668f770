"""A clock that moves only when it is told to, or when somebody sleeps on it."""

import asyncio
from collections.abc import Callable

from harness.model.records import NS_PER_S


class FakeClock:
    """Virtual time; each sleep is over at once, `oversleep` later than asked for."""

    def __init__(self, *, oversleep_s: Callable[[], float] = lambda: 0.0) -> None:
        self._now_ns = 0
        self._oversleep_s = oversleep_s

    def now_ns(self) -> int:
        return self._now_ns

    def wall_unix_ns(self) -> int:
        return self._now_ns

    def move(self, delay_s: float) -> None:
        self._now_ns += round(delay_s * NS_PER_S)

    async def sleep(self, delay_s: float) -> None:
        self.move(max(0.0, delay_s) + self._oversleep_s())
        await asyncio.sleep(0)

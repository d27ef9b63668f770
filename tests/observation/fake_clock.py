"""A clock that moves only when somebody sleeps on it."""

import asyncio
from collections.abc import Iterable

from harness.model.records import NS_PER_S


class FakeClock:
    """Virtual time; each sleep is over at once, and later than asked for by the next oversleep."""

    def __init__(self, *, start_ns: int = 0, oversleeps_s: Iterable[float] = ()) -> None:
        self._now_ns = start_ns
        self._oversleeps_s = iter(oversleeps_s)

    def now_ns(self) -> int:
        return self._now_ns

    def wall_unix_ns(self) -> int:
        return self._now_ns

    async def sleep(self, delay_s: float) -> None:
        oversleep_s = next(self._oversleeps_s, 0.0)
        self._now_ns += round((max(0.0, delay_s) + oversleep_s) * NS_PER_S)
        await asyncio.sleep(0)

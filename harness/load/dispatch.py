"""Offer every arrival at its time, whatever became of those before it."""

import asyncio
from collections.abc import Callable, Sequence

from harness.clock import Clock
from harness.load.alarm import Alarm
from harness.load.schedule import Arrival


class Dispatcher:
    """Hand out arrivals when they are due, until the last one or until it is stopped.

    Args:
        arrivals: In order of time.
        t0_ns: CLOCK_MONOTONIC at the start of the run.
        clock: Says what is due.
        dispatch: Is called with each arrival; it must only start the operation.
        open_alarm: Makes the alarm that calls back.
    """

    def __init__(
        self,
        arrivals: Sequence[Arrival],
        *,
        t0_ns: int,
        clock: Clock,
        dispatch: Callable[[Arrival], object],
        open_alarm: Callable[[Callable[[], None]], Alarm],
    ) -> None:
        self._arrivals = arrivals
        self._t0_ns = t0_ns
        self._clock = clock
        self._dispatch = dispatch
        self._offered = 0
        self._is_over = asyncio.Event()
        self._alarm = open_alarm(self._offer_due)

    @property
    def offered(self) -> int:
        """Return how many operations were handed out."""
        return self._offered

    async def run(self) -> None:
        """Offer until nothing is left or `stop` is called."""
        self._offer_due()
        try:
            await self._is_over.wait()
        finally:
            self.stop()

    def stop(self) -> None:
        """Offer nothing more."""
        self._alarm.close()
        self._is_over.set()

    def _offer_due(self) -> None:
        now_ns = self._clock.now_ns() - self._t0_ns
        while not self._is_over.is_set() and self._offered < len(self._arrivals):
            arrival = self._arrivals[self._offered]
            if arrival.at_ns > now_ns:
                self._alarm.arm(self._t0_ns + arrival.at_ns)
                return
            self._offered += 1
            self._dispatch(arrival)
        self._is_over.set()

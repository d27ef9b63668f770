"""Measure how long the harness itself did not get to run."""

from contextlib import AbstractAsyncContextManager

from harness.clock import Clock
from harness.model.records import NS_PER_S, LagSample
from harness.model.run import Recorder as Record
from harness.observation.background import beside

TICK_S = 0.02
LAG_MIN_S = 0.01  # a quiet loop is up to 6 ms late: less is noise that would fill the history


def sample_lag(record: Record, *, clock: Clock, t0_ns: int) -> AbstractAsyncContextManager[None]:
    """Record a sample for each tick that came more than `LAG_MIN_S` late, while open.

    Args:
        record: Takes the samples, whose service is `harness`.
        clock: Is waited on and read.
        t0_ns: CLOCK_MONOTONIC at the start of the run.
    """
    return beside(_tick(record, clock=clock, t0_ns=t0_ns))


async def _tick(record: Record, *, clock: Clock, t0_ns: int) -> None:
    while True:
        due_ns = clock.now_ns() + round(TICK_S * NS_PER_S)
        await clock.sleep(TICK_S)
        now_ns = clock.now_ns()
        if now_ns - due_ns > LAG_MIN_S * NS_PER_S:
            record(LagSample(t_ns=now_ns - t0_ns, service="harness", lag_ns=now_ns - due_ns))

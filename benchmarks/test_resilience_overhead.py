"""What the resilience layer costs, as multiples of a bare await in the same run.

All subjects are measured in turn inside each repeat, so that a busy machine slows them alike; the
figure of a subject is the median of its per-repeat ratios. The goals stand beside the subjects. The
gates are twice as wide: they catch a lost fast path, not a noisy neighbour.

Run `pytest benchmarks/test_resilience_overhead.py -s` for the table.
"""

import asyncio
import gc
import platform
import random
import statistics
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from timeit import default_timer

import pytest

from resilience import (
    BreakerConfig,
    BreakerState,
    Bulkhead,
    BulkheadConfig,
    CircuitBreaker,
    CircuitOpen,
    LimiterConfig,
    Retry,
    RetryConfig,
    StackConfig,
    SystemClock,
    create_stack,
)

REPEATS = 25  # after one that is discarded
CALLS = 3000  # about 0.3 ms of bare awaits: far above the resolution of the timer
ROOMY = LimiterConfig(capacity=1e9, refill_rate_per_s=1e6, burst=1e9)  # never refuses
UNTIMED = RetryConfig(total_timeout_s=None)


async def trivial():
    return None


async def raising():
    raise ValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One measured path: what is awaited, against which base, and how dear it may be."""

    name: str
    call: Callable[[], Awaitable[object]]
    error: type[Exception] | None = None
    goal: float | None = None
    base: str = "bare await"


def stack(retry):
    return create_stack(
        StackConfig(
            name="s",
            breaker=BreakerConfig(),
            retry=retry,
            bulkhead=BulkheadConfig(),
            limiter=ROOMY,
        ),
        clock=SystemClock(),
        rng=random.Random(1),
    )


def subjects():
    clock = SystemClock()
    closed = CircuitBreaker("closed", BreakerConfig(), clock=clock)
    opened = CircuitBreaker("open", BreakerConfig(open_duration_s=3600.0), clock=clock)
    opened.force(BreakerState.OPEN)
    retry = Retry("r", UNTIMED, clock=clock, rng=random.Random(1))
    bulkhead = Bulkhead("b", BulkheadConfig(), clock=clock)
    plain, timed, heard = stack(UNTIMED), stack(RetryConfig()), stack(UNTIMED)
    heard.subscribe(lambda _event: None)
    return (
        Subject(name="bare await", call=trivial),
        Subject(name="raise and catch", call=raising, error=ValueError),
        Subject(name="breaker, decorator", call=closed(trivial), goal=5.0),
        Subject(name="breaker, call", call=lambda: closed.call(trivial), goal=5.0),
        Subject(
            name="fail fast",
            call=opened(trivial),
            error=CircuitOpen,
            goal=4.0,
            base="raise and catch",
        ),
        Subject(name="retry", call=lambda: retry.call(trivial)),
        Subject(name="bulkhead", call=lambda: bulkhead.call(trivial)),
        Subject(name="stack", call=lambda: plain.call(trivial), goal=12.0),
        Subject(name="stack, total_timeout", call=lambda: timed.call(trivial)),
        Subject(name="stack, listened", call=lambda: heard.call(trivial)),
    )


SUBJECTS = subjects()


async def one_repeat(subject):
    call, error = subject.call, subject.error
    started_s = default_timer()
    if error is None:
        for _ in range(CALLS):
            await call()
    else:
        for _ in range(CALLS):
            try:  # noqa: SIM105 - contextlib.suppress would be part of the measurement
                await call()
            except error:
                pass
    return default_timer() - started_s


@pytest.fixture(scope="module")
def ratios():
    """Return the per-repeat ratios of every subject to its base, measured in turn."""

    async def measure():
        times_s = {subject.name: [] for subject in SUBJECTS}
        for _ in range(REPEATS + 1):
            for subject in SUBJECTS:
                gc.collect()
                times_s[subject.name].append(await one_repeat(subject))
        return times_s

    gc.disable()
    try:
        times_s = asyncio.run(measure())
    finally:
        gc.enable()
    return {
        subject.name: [
            own_s / base_s
            for own_s, base_s in zip(
                times_s[subject.name][1:], times_s[subject.base][1:], strict=True
            )
        ]
        for subject in SUBJECTS
    }


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_the_layer_stays_near_its_goals(benchmark, ratios, subject):
    median = statistics.median(ratios[subject.name])
    benchmark.extra_info.update(
        ratio_median=median, ratio_min=min(ratios[subject.name]), goal=subject.goal
    )
    benchmark.pedantic(lambda: asyncio.run(one_repeat(subject)), rounds=3)

    if subject.goal is not None:
        assert median <= 2 * subject.goal, f"{subject.name}: {median:.1f} times {subject.base}"


@pytest.mark.slow
def test_the_table_is_printed(ratios):
    lines = [f"{platform.python_implementation()} {platform.python_version()}, {CALLS} calls"]
    for subject in SUBJECTS:
        values = ratios[subject.name]
        goal = "" if subject.goal is None else f"   goal {subject.goal:.0f}"
        lines.append(
            f"{subject.name:22s} {statistics.median(values):6.1f} (min {min(values):5.1f})"
            f" x {subject.base}{goal}"
        )
    sys.stdout.write("\n" + "\n".join(lines) + "\n")

    assert set(ratios) == {subject.name for subject in SUBJECTS}

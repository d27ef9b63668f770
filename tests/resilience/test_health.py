"""Health is computed when it is read, and no level outlives its cause."""

import random

import pytest

from resilience import (
    BreakerConfig,
    BreakerState,
    HealthLevel,
    LimiterConfig,
    StackConfig,
    create_stack,
    health_of,
)
from tests.resilience.upstream import bad, ok, outcome_of
from tests.resilience.virtual_time import ManualClock, run

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


def stack_with(clock, **parts: object):
    config = StackConfig(name="s", **{"breaker": BreakerConfig(), **parts})
    return create_stack(config, clock=clock, rng=random.Random(1))


def call(stack, fn=ok):
    async def guarded():
        return await stack.call(fn)

    return run(outcome_of(guarded))


def test_ten_minutes_after_opening_nothing_is_critical():
    """h1."""
    clock = ManualClock()
    stack = stack_with(clock)
    for _ in range(5):
        call(stack, bad)
    assert stack.health() is HealthLevel.CRITICAL

    clock.now_s += 600.0

    assert stack.health() is HealthLevel.DEGRADED_MAJOR


def test_a_local_rejection_is_forgotten_after_the_window():
    """h2."""
    clock = ManualClock()
    stack = stack_with(clock, limiter=LimiterConfig(capacity=1.0, burst=None))
    call(stack)
    call(stack)
    assert stack.health() is HealthLevel.DEGRADED_MINOR

    clock.now_s += 59.9
    assert stack.health() is HealthLevel.DEGRADED_MINOR
    clock.now_s += 0.1
    assert stack.health() is HealthLevel.HEALTHY


def test_a_failure_shows_until_a_success_or_the_end_of_the_window():
    clock = ManualClock()
    stack = stack_with(clock)
    call(stack, bad)
    assert stack.health() is HealthLevel.DEGRADED_MINOR
    call(stack)
    assert stack.health() is HealthLevel.HEALTHY
    call(stack, bad)

    clock.now_s += 60.0

    assert stack.health() is HealthLevel.HEALTHY


def test_five_failures_on_a_fresh_stack_show():
    stack = stack_with(ManualClock())
    for _ in range(5):
        call(stack, bad)

    assert stack.health() is not HealthLevel.HEALTHY


@pytest.mark.parametrize(
    ("states", "level"),
    [
        ([CLOSED] * 5, HealthLevel.HEALTHY),
        ([OPEN] + [CLOSED] * 5, HealthLevel.DEGRADED_MINOR),
        ([OPEN] + [CLOSED] * 4, HealthLevel.DEGRADED_MAJOR),
        ([HALF_OPEN], HealthLevel.DEGRADED_MAJOR),
        ([OPEN, CLOSED], HealthLevel.DEGRADED_MAJOR),
        ([OPEN, HALF_OPEN], HealthLevel.CRITICAL),
        ([OPEN], HealthLevel.CRITICAL),
        ([], HealthLevel.HEALTHY),
    ],
)
def test_the_level_follows_the_mean_capacity(states, level):
    stacks = []
    for state in states:
        stack = stack_with(ManualClock())
        stack.breaker.force(state)
        stacks.append(stack)

    assert health_of(stacks) is level


def test_a_shared_breaker_counts_once():
    clock = ManualClock()
    first = stack_with(clock)
    second = create_stack(
        StackConfig(name="t"), clock=clock, rng=random.Random(1), breaker=first.breaker
    )
    first.breaker.force(OPEN)
    third = stack_with(clock)

    assert health_of([first, second, third]) is HealthLevel.DEGRADED_MAJOR


def test_a_stack_without_a_breaker_is_healthy():
    assert stack_with(ManualClock(), breaker=None).health() is HealthLevel.HEALTHY

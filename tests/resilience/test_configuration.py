"""Settings: defaults, bounds, and another speed."""

import dataclasses
import math

import pytest
from hypothesis import given, strategies as st

from resilience import (
    STACK_LIMITER,
    BreakerConfig,
    BulkheadConfig,
    FallbackConfig,
    LimiterConfig,
    RetryConfig,
    ServeStale,
    StackConfig,
    StaticValue,
    scaled,
)

INFINITE, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    ("config", "field", "values"),
    [
        (BreakerConfig, "failure_threshold", [0, -1, 2.5, True]),
        (BreakerConfig, "success_threshold", [0]),
        (BreakerConfig, "half_open_max_calls", [0]),
        (BreakerConfig, "volume_threshold", [0]),
        (BreakerConfig, "open_duration_s", [-1.0, INFINITE, NAN]),
        (BreakerConfig, "monitoring_window_s", [-1.0]),
        (BreakerConfig, "probe_timeout_s", [-1.0]),
        (RetryConfig, "max_attempts", [0]),
        (RetryConfig, "initial_delay_s", [-0.1, NAN]),
        (RetryConfig, "max_delay_s", [-0.1]),
        (RetryConfig, "multiplier", [0.5]),
        (RetryConfig, "jitter", [-0.1, 1.0]),
        (RetryConfig, "total_timeout_s", [-1.0, INFINITE]),
        (RetryConfig, "attempt_timeout_s", [-1.0]),
        (BulkheadConfig, "max_concurrent", [0]),
        (BulkheadConfig, "max_queue", [-1]),
        (BulkheadConfig, "queue_timeout_s", [-1.0]),
        (LimiterConfig, "capacity", [0.0]),
        (LimiterConfig, "refill_rate_per_s", [0.0, INFINITE]),
        (LimiterConfig, "burst", [0.0, 61.0]),
        (LimiterConfig, "burst_refill_s", [0.0]),
        (LimiterConfig, "max_clients", [0]),
        (ServeStale, "max_age_s", [-1.0]),
        (ServeStale, "max_entries", [0]),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(config, field, values):
    for value in values:
        with pytest.raises(ValueError, match=f"{field}="):
            config(**{field: value})


def test_zero_is_a_value_wherever_it_makes_sense():
    BreakerConfig(open_duration_s=0.0, monitoring_window_s=0.0, probe_timeout_s=0.0)
    RetryConfig(initial_delay_s=0.0, max_delay_s=0.0, jitter=0.0, total_timeout_s=0.0)
    BulkheadConfig(max_queue=0, queue_timeout_s=0.0)
    ServeStale(max_age_s=0.0)


def test_a_stack_needs_a_name_and_at_most_one_stale_cache():
    with pytest.raises(ValueError, match="name="):
        StackConfig(name="")
    with pytest.raises(ValueError, match="strategies="):
        FallbackConfig(strategies=(ServeStale(), ServeStale()))


def test_configurations_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RetryConfig().max_attempts = 4


def full_stack():
    return StackConfig(
        name="s",
        breaker=BreakerConfig(probe_timeout_s=7.0),
        retry=RetryConfig(attempt_timeout_s=3.0),
        bulkhead=BulkheadConfig(),
        limiter=LimiterConfig(),
        fallback=FallbackConfig(strategies=(ServeStale(), StaticValue(value=5.0))),
    )


def numbers_of(config, prefix=""):
    """Yield every numeric setting by its dotted name."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        name = f"{prefix}{field.name}"
        if dataclasses.is_dataclass(value):
            yield from numbers_of(value, f"{name}.")
        elif field.name == "strategies":
            for each in value:
                yield from numbers_of(each, f"{name}.")
        elif isinstance(value, int | float):
            yield name, value


DURATIONS = {
    "breaker.open_duration_s",
    "breaker.monitoring_window_s",
    "breaker.probe_timeout_s",
    "retry.initial_delay_s",
    "retry.max_delay_s",
    "retry.total_timeout_s",
    "retry.attempt_timeout_s",
    "bulkhead.queue_timeout_s",
    "limiter.burst_refill_s",
    "fallback.strategies.max_age_s",
}
RATES = {"limiter.refill_rate_per_s"}


@given(st.floats(0.001, 1000.0))
def test_scaling_multiplies_durations_divides_rates_and_leaves_the_rest(time_scale):
    before = dict(numbers_of(full_stack()))
    after = dict(numbers_of(scaled(full_stack(), time_scale)))

    assert before.keys() == after.keys()
    assert before.keys() >= DURATIONS | RATES
    for name, value in before.items():
        if name in DURATIONS:
            assert after[name] == value * time_scale
        elif name in RATES:
            assert after[name] == value / time_scale
        else:
            assert after[name] == value


@given(st.floats(0.01, 100.0), st.floats(0.01, 100.0))
def test_scaling_twice_is_scaling_by_the_product(first, second):
    twice = dict(numbers_of(scaled(scaled(full_stack(), first), second)))

    assert twice == pytest.approx(dict(numbers_of(scaled(full_stack(), first * second))))


def test_scaling_by_one_changes_nothing_and_none_stays_none():
    assert scaled(full_stack(), 1.0) == full_stack()
    assert scaled(BreakerConfig(), 3.0).probe_timeout_s is None
    assert scaled(STACK_LIMITER, 3.0).burst is None


@pytest.mark.parametrize("time_scale", [0.0, -1.0, math.inf, math.nan])
def test_a_scale_that_means_nothing_is_refused(time_scale):
    with pytest.raises(ValueError, match="time_scale="):
        scaled(RetryConfig(), time_scale)

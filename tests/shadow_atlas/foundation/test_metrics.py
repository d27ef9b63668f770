"""Samples of the layer in the text format of Prometheus."""

import random

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from resilience import (
    BreakerConfig,
    CircuitBreaker,
    HealthLevel,
    MetricKind,
    Sample,
    StackConfig,
    create_stack,
)
from shadow_atlas.health import breaker_states, health_body
from shadow_atlas.metrics import LayerCollector
from shadow_atlas.service_settings import ServiceSettings
from tests.shadow_atlas.fake_clock import FakeClock

SERVICE = ServiceSettings(name="api", host="127.0.0.1", port=1, app="a:b")


def expose(*sources):
    registry = CollectorRegistry()
    registry.register(LayerCollector(sources))
    return generate_latest(registry).decode()


def sample(metric, value, /, *, kind=MetricKind.GAUGE, **labels):
    return Sample(name=metric, labels=tuple(labels.items()), value=value, kind=kind)


def test_series_of_one_name_share_a_family():
    text = expose(
        lambda: [
            sample("circuit_breaker_state", 1.0, name="a"),
            sample("circuit_breaker_state", 2.0, name="b"),
        ]
    )

    assert text.count("# TYPE circuit_breaker_state gauge") == 1
    assert 'circuit_breaker_state{name="b"} 2.0' in text


def test_counters_keep_their_total_and_sums_become_a_summary():
    text = expose(
        lambda: [
            sample("retry_attempts_total", 3.0, kind=MetricKind.COUNTER, operation="x"),
            sample("retry_latency_seconds_sum", 1.5, kind=MetricKind.COUNTER, operation="x"),
            sample("retry_latency_seconds_count", 2.0, kind=MetricKind.COUNTER, operation="x"),
        ]
    )

    kinds = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert kinds == {"retry_attempts": "counter", "retry_latency_seconds": "summary"}
    assert 'retry_attempts_total{operation="x"} 3.0' in text
    assert 'retry_latency_seconds_count{operation="x"} 2.0' in text


def test_stacks_that_share_a_breaker_report_it_once():
    clock = FakeClock()
    breaker = CircuitBreaker("shared", BreakerConfig(), clock=clock)
    stacks = [
        create_stack(StackConfig(name=name), clock=clock, rng=random.Random(1), breaker=breaker)
        for name in ("a", "b")
    ]

    text = expose(*(stack.metrics for stack in stacks))

    assert text.count('circuit_breaker_state{name="shared"}') == 1


def test_every_metric_of_the_layer_has_a_help_text():
    clock = FakeClock()
    stack = create_stack(
        StackConfig(name="a", breaker=BreakerConfig()), clock=clock, rng=random.Random(1)
    )

    for family in text_string_to_metric_families(expose(stack.metrics)):
        assert family.documentation != family.name


def test_scrape_reads_the_present_and_not_a_copy():
    value = [1.0]
    registry = CollectorRegistry()
    registry.register(LayerCollector([lambda: [sample("x", value[0])]]))

    first = generate_latest(registry)
    value[0] = 2.0

    assert b"x 1.0" in first
    assert b"x 2.0" in generate_latest(registry)


def test_states_are_read_from_the_metrics():
    states = breaker_states(
        sample("circuit_breaker_state", number, name=str(number)) for number in (0.0, 1.0, 2.0, 7.0)
    )

    assert states == {"0.0": "closed", "1.0": "open", "2.0": "half_open", "7.0": "unknown"}


@pytest.mark.parametrize(
    ("level", "is_ready", "told"),
    [
        (HealthLevel.HEALTHY, True, "healthy"),
        (HealthLevel.HEALTHY, False, "degraded_minor"),
        (HealthLevel.CRITICAL, False, "critical"),
        (HealthLevel.DEGRADED_MAJOR, True, "degraded_major"),
    ],
)
def test_service_that_never_met_its_database_is_not_healthy(level, is_ready, told):
    body = health_body(SERVICE, level=level, samples=[], is_ready=is_ready)

    assert (body["level"], body["ready"]) == (told, is_ready)

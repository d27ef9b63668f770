"""Metrics as plain samples; whoever exposes them turns them into the format of a registry."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from resilience.breaker import CircuitBreaker
from resilience.breaker_state import BreakerState
from resilience.bulkhead import Bulkhead
from resilience.limiter import RateLimiter
from resilience.retry_tally import RetryTally


class MetricKind(StrEnum):
    """Whether a value goes up and down or only grows."""

    GAUGE = "gauge"
    COUNTER = "counter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one metric.

    Attributes:
        name: Of the metric, in the conventions of Prometheus (unit last, `_total` for counts).
        labels: Pairs of label and value.
        value: Seconds, tokens or a count, as the name says.
        kind: Gauge or counter.
    """

    name: str
    labels: tuple[tuple[str, str], ...]
    value: float
    kind: MetricKind


_NUMBER_BY_STATE = {
    BreakerState.CLOSED: 0.0,
    BreakerState.OPEN: 1.0,
    BreakerState.HALF_OPEN: 2.0,
}


def breaker_samples(breaker: CircuitBreaker) -> Iterator[Sample]:
    """Yield the metrics of a breaker, label `name`."""
    seen = breaker.snapshot()
    labels = (("name", seen.name),)
    yield _gauge("circuit_breaker_state", labels, _NUMBER_BY_STATE[seen.state])
    yield _gauge("circuit_breaker_last_state_change", labels, seen.last_state_change_unix_s)
    yield _gauge("circuit_breaker_not_closed_since", labels, seen.not_closed_since_unix_s)
    yield _counter("circuit_breaker_failures_total", labels, seen.failures)
    yield _counter("circuit_breaker_successes_total", labels, seen.successes)
    yield _counter("circuit_breaker_state_changes_total", labels, seen.state_changes)
    yield _counter("circuit_breaker_rejected_total", labels, seen.rejections)


def bulkhead_samples(bulkhead: Bulkhead) -> Iterator[Sample]:
    """Yield the metrics of a bulkhead, label `name`."""
    seen = bulkhead.stats()
    labels = (("name", seen.name),)
    yield _gauge("bulkhead_active", labels, seen.active)
    yield _gauge("bulkhead_queued", labels, seen.queued)
    yield _counter("bulkhead_rejected_total", labels, seen.rejected)
    yield _counter("bulkhead_completed_total", labels, seen.completed)


def retry_samples(tallies: tuple[RetryTally, ...]) -> Iterator[Sample]:
    """Yield the metrics of a retry, label `operation`.

    `retry_latency_seconds` comes as sum and count of the durations of all calls that were tried
    again or gave up.
    """
    for tally in tallies:
        labels = (("operation", tally.operation),)
        yield _counter("retry_attempts_total", labels, tally.attempts)
        yield _counter("retry_successes_total", labels, tally.successes)
        yield _counter("retry_exhausted_total", labels, tally.exhausted)
        yield _counter("retry_deadline_exceeded_total", labels, tally.deadline_exceeded)
        yield _counter("retry_latency_seconds_sum", labels, tally.latency_s)
        yield _counter("retry_latency_seconds_count", labels, tally.latency_count)


def limiter_samples(limiter: RateLimiter) -> Iterator[Sample]:
    """Yield the metrics of a limiter, label `client`, a bounded number of them."""
    for client, tokens in limiter.tokens():
        yield _gauge("rate_limiter_tokens", (("client", client),), tokens)
    for tally in limiter.tallies():
        labels = (("client", tally.client),)
        yield _counter("rate_limiter_allowed_total", labels, tally.allowed)
        yield _counter("rate_limiter_rejected_total", labels, tally.rejected)


def _gauge(name: str, labels: tuple[tuple[str, str], ...], value: float) -> Sample:
    return Sample(name=name, labels=labels, value=float(value), kind=MetricKind.GAUGE)


def _counter(name: str, labels: tuple[tuple[str, str], ...], value: float) -> Sample:
    return Sample(name=name, labels=labels, value=float(value), kind=MetricKind.COUNTER)

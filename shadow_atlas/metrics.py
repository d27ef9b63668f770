"""Expose the samples of the resilience layer, and the requests of a service, to Prometheus.

The layer counts by itself; a collector reads it at each scrape, so no number is kept twice and
no default registry is touched.
"""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from resilience import MetricKind, Sample
from shadow_atlas.headers import PRIMARY_SOURCE

Samples = Callable[[], Iterable[Sample]]
Family = CounterMetricFamily | GaugeMetricFamily | SummaryMetricFamily

UNANSWERED: Final = "unanswered"
"""The status class of a request whose client got no answer: the connection broke first."""
NOT_REJECTED: Final = "none"
_OWN_PATHS: Final = ("/metrics", "/events", "/chaos", "/v1/health")
_SUMMARY_PARTS: Final = ("_sum", "_count")
_HELP: Final = {
    "circuit_breaker_state": "0 closed, 1 open, 2 half-open, as a call arriving now would meet it",
    "circuit_breaker_last_state_change": "Unix time of the newest change of state",
    "circuit_breaker_not_closed_since": "Unix time at which the circuit left closed, 0 when closed",
    "circuit_breaker_failures": "calls that failed, as the breaker judged them",
    "circuit_breaker_successes": "calls that succeeded",
    "circuit_breaker_state_changes": "changes of state",
    "circuit_breaker_rejected": "calls refused without asking the upstream",
    "bulkhead_active": "calls that hold a slot",
    "bulkhead_queued": "calls that wait for a slot",
    "bulkhead_rejected": "calls refused because the queue was full or the wait too long",
    "bulkhead_completed": "calls that gave their slot back",
    "retry_attempts": "second and later attempts",
    "retry_successes": "calls that succeeded after at least one repeated attempt",
    "retry_exhausted": "calls whose attempts all failed",
    "retry_deadline_exceeded": "calls that ran out of time",
    "retry_latency_seconds": "duration of calls that were tried again or gave up",
    "rate_limiter_tokens": "tokens that a client has left",
    "rate_limiter_allowed": "calls let through",
    "rate_limiter_rejected": "calls refused",
}


class LayerCollector(Collector):
    """Reads every source at each scrape.

    Several sources may report the same series (stacks that share a breaker do); the first one
    wins, because Prometheus refuses a scrape with a series twice.

    Args:
        sources: Called at each scrape, such as the `metrics` method of a stack.
    """

    def __init__(self, sources: Iterable[Samples]) -> None:
        self._sources = tuple(sources)

    def collect(self) -> Iterable[Family]:
        """Build one family per metric, in order of first appearance."""
        families: dict[str, list[Sample]] = {}
        seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        for source in self._sources:
            for sample in source():
                series = (sample.name, sample.labels)
                if series not in seen:
                    seen.add(series)
                    families.setdefault(_family_name(sample), []).append(sample)
        return [_family(name, samples) for name, samples in families.items()]

    def describe(self) -> Iterable[Family]:
        """Name nothing in advance: what there is depends on the stacks."""
        return ()


def _family_name(sample: Sample) -> str:
    for ending in (*_SUMMARY_PARTS, "_total"):
        if sample.name.endswith(ending):
            return sample.name.removesuffix(ending)
    return sample.name


def _family(name: str, samples: list[Sample]) -> Family:
    first = samples[0]
    family: Family
    if first.name.endswith(_SUMMARY_PARTS):
        family = SummaryMetricFamily(name, _HELP.get(name, name))
    elif first.kind is MetricKind.COUNTER:
        family = CounterMetricFamily(name, _HELP.get(name, name))
    else:
        family = GaugeMetricFamily(name, _HELP.get(name, name))
    for sample in samples:
        family.add_sample(sample.name, dict(sample.labels), sample.value)
    return family


class RequestCounter:
    """Counts the requests that a service exists for, in `atlas_requests_total`.

    Scrapes, health checks and faults are left out: they would succeed all through an outage and
    hide it. Labels: `status_class` (`2xx` to `5xx`, or `unanswered`), `source` and `rejected_by`
    (`none` if the service did not refuse). All are words of this program, so there are few series.

    Args:
        registry: Where the counter is registered.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "atlas_requests",
            "requests answered, without those for metrics, events, health and faults",
            ["status_class", "source", "rejected_by"],
            registry=registry,
        )
        # A series has to stand at 0 before the first request, or no rate would see that one.
        for status in (200, 500):
            self._series(status, source=PRIMARY_SOURCE, rejected_by=None)

    def count(self, path: str, *, status: int | None, source: str, rejected_by: str | None) -> None:
        """Count one request.

        Args:
            path: Of the request.
            status: HTTP status; None if no answer was begun.
            source: Where the answer came from.
            rejected_by: Which local protection refused it, if one did.
        """
        if not path.startswith(_OWN_PATHS):
            self._series(status, source=source, rejected_by=rejected_by).inc()

    def _series(self, status: int | None, *, source: str, rejected_by: str | None) -> Counter:
        status_class = UNANSWERED if status is None else f"{status // 100}xx"
        return self._requests.labels(status_class, source, rejected_by or NOT_REJECTED)

"""Requests are counted for Prometheus by how they were answered."""

import pytest
from prometheus_client import CollectorRegistry

from shadow_atlas.metrics import RequestCounter
from tests.shadow_atlas.foundation.test_calls import ask, build


def counted(registry: CollectorRegistry) -> dict[tuple[str, str, str], float]:
    return {
        (s.labels["status_class"], s.labels["source"], s.labels["rejected_by"]): s.value
        for family in registry.collect()
        for s in family.samples
        if s.name == "atlas_requests_total"
    }


def test_series_stand_at_zero_before_the_first_request():
    registry = CollectorRegistry()

    RequestCounter(registry)

    assert counted(registry) == {("2xx", "primary", "none"): 0, ("5xx", "primary", "none"): 0}


@pytest.mark.parametrize(
    ("status", "rejected_by", "series"),
    [
        (200, None, ("2xx", "primary", "none")),
        (404, None, ("4xx", "primary", "none")),
        (429, "limiter", ("4xx", "primary", "limiter")),
        (503, "breaker", ("5xx", "primary", "breaker")),
        (None, None, ("unanswered", "primary", "none")),
    ],
)
def test_request_is_counted_by_what_its_client_saw(status, rejected_by, series):
    registry = CollectorRegistry()
    requests = RequestCounter(registry)

    requests.count("/v1/lookup", status=status, source="primary", rejected_by=rejected_by)

    assert counted(registry)[series] == 1


@pytest.mark.parametrize("path", ["/metrics", "/events", "/v1/health", "/chaos/faults"])
def test_what_would_succeed_all_through_an_outage_is_not_counted(path):
    registry = CollectorRegistry()
    requests = RequestCounter(registry)

    requests.count(path, status=200, source="primary", rejected_by=None)

    assert sum(counted(registry).values()) == 0


def test_every_application_counts_its_requests():
    app, log = build()

    ask(app, log, "GET", "/stale")
    response, _ = ask(app, log, "GET", "/metrics")

    line = 'atlas_requests_total{rejected_by="none",source="stale_cache",status_class="2xx"} 1.0'
    assert line in response.text

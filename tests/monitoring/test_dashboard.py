"""Every query of the dashboard finds something in a Prometheus that scraped real services."""

import json
import math
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from ruamel.yaml import YAML

from tests.monitoring.servers import Asked, running, wait_for
from tests.shadow_atlas.postgres import free_port
from tests.shadow_atlas.service_process import ServiceProcess

MONITORING = Path(__file__).parents[2] / "monitoring"
DASHBOARD = json.loads((MONITORING / "grafana" / "dashboards" / "resilience.json").read_text())
TARGETS = [
    pytest.param(target["expr"], target["legendFormat"], id=f"{panel['title']} {target['refId']}")
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
]

GUIDE_PANELS = {
    "Circuit Breaker States": [('circuit_breaker_state{name=~".*"}', "{{name}}")],
    "Retry Success Rate": [
        ("rate(retry_successes_total[5m]) / rate(retry_attempts_total[5m])", "{{operation}}")
    ],
    "Bulkhead Active/Queued": [
        ('bulkhead_active{name=~".*"}', "{{name}} (active)"),
        ('bulkhead_queued{name=~".*"}', "{{name}} (queued)"),
    ],
}

METRICS = {
    "circuit_breaker_state": ("gauge", "name"),
    "circuit_breaker_last_state_change": ("gauge", "name"),
    "circuit_breaker_not_closed_since": ("gauge", "name"),
    "circuit_breaker_failures_total": ("counter", "name"),
    "circuit_breaker_successes_total": ("counter", "name"),
    "circuit_breaker_state_changes_total": ("counter", "name"),
    "bulkhead_active": ("gauge", "name"),
    "bulkhead_queued": ("gauge", "name"),
    "bulkhead_rejected_total": ("counter", "name"),
    "bulkhead_completed_total": ("counter", "name"),
    "retry_attempts_total": ("counter", "operation"),
    "retry_successes_total": ("counter", "operation"),
    "retry_exhausted_total": ("counter", "operation"),
    "retry_latency_seconds": ("summary", "operation"),
}
LIMITER_METRICS = {
    "rate_limiter_tokens": ("gauge", "client"),
    "rate_limiter_allowed_total": ("counter", "client"),
    "rate_limiter_rejected_total": ("counter", "client"),
}
NOWHERE = "127.0.0.1:1"  # nobody listens there, so every call upstream fails and is tried again


@pytest.fixture(scope="module")
def services(tmp_path_factory) -> Iterator[dict[str, ServiceProcess]]:
    """Run an api and a batch service whose upstreams are all gone, fifty times faster than real."""
    folder = tmp_path_factory.mktemp("services")
    links = ("DB", "PORTAL_WI", "PORTAL_CO", "PORTAL_NY", "TIGER")
    variables = {f"ATLAS_{link}_ADDRESS": NOWHERE for link in links}
    started = {
        name: ServiceProcess(name, name=name, folder=folder, ATLAS_TIME_SCALE="0.02", **variables)
        for name in ("api", "batch")
    }
    try:
        for service in started.values():
            service.start()
        for service in started.values():
            service.wait_until_ready()
        yield started
    finally:
        for service in started.values():
            service.close()


@pytest.fixture(scope="module")
def prometheus(services, tmp_path_factory) -> Iterator[Asked]:
    """Run a Prometheus with the production rules that has seen both services at work."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    configuration = YAML(typ="safe").load(MONITORING / "prometheus.yml")
    configuration["global"] = {"scrape_interval": "300ms", "evaluation_interval": "300ms"}
    configuration["rule_files"] = [str(MONITORING / "alerts.yml")]
    del configuration["alerting"]
    for job in configuration["scrape_configs"]:
        port_of_job = services[job["job_name"]].port
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port_of_job}"]}]
    (folder / "prometheus.yml").write_text(json.dumps(configuration))
    options = (
        "--config.file=prometheus.yml",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with running("prometheus", *options, folder=folder), closing(Asked(port)) as asked:
        wait_for(lambda: asked.value("up") == len(services), "both services scraped")
        wait_for(lambda: has_rates(asked) or work(services), "rates of retries and requests")
        yield asked


def has_rates(asked: Asked) -> bool:
    return (
        asked.value("sum by (job) (rate(retry_attempts_total[5m])) > bool 0") == 2
        and asked.value("rate(retry_latency_seconds_count[5m])") > 0
        and asked.value("rate(atlas_requests_total[5m])") > 0
        and asked.value("job:atlas_request_errors:ratio_rate6h") > 0
    )


def work(services) -> None:
    """Make both services call upstreams that are not there.

    Once is not enough: a series that is new to Prometheus has a rate only when it grows again.
    """
    with httpx.Client(trust_env=False, timeout=20) as client:
        for _ in range(3):
            client.get(f"{services['api'].url}/v1/lookup", params={"lat": "43.07", "lon": "-89.4"})
            client.post(
                f"{services['batch'].url}/v1/extractions", json={"state": "WI", "layer": "county"}
            )


@pytest.mark.slow
@pytest.mark.parametrize(("expr", "legend"), TARGETS)
def test_query_of_the_dashboard_finds_series_with_the_labels_of_its_legend(
    expr, legend, prometheus
):
    found = prometheus.query(expr)

    assert any(math.isfinite(float(series["value"][1])) for series in found)
    if not expr.startswith("ALERTS"):  # none is pending here, so there is only its placeholder
        labels = set(re.findall(r"{{(\w+)}}", legend))
        assert all(labels <= series["metric"].keys() for series in found)


@pytest.mark.slow
@pytest.mark.parametrize("job", ["api", "batch"])
@pytest.mark.parametrize("metric", METRICS)
def test_service_exports_the_metric_with_its_label_and_type(metric, job, prometheus):
    kind, label = METRICS[metric]

    assert_exported(prometheus, metric, kind=kind, label=label, job=job)


@pytest.mark.slow
@pytest.mark.parametrize("metric", LIMITER_METRICS)
def test_api_exports_the_metrics_of_its_limiter(metric, prometheus):
    kind, label = LIMITER_METRICS[metric]

    assert_exported(prometheus, metric, kind=kind, label=label, job="api")


def assert_exported(prometheus, metric, *, kind, label, job) -> None:
    series = f"{metric}_count" if kind == "summary" else metric
    found = prometheus.query(f'{series}{{job="{job}"}}')
    told = prometheus.get("/metadata", metric=metric)[metric]

    assert found
    assert all(set(one["metric"]) == {"__name__", "instance", "job", label} for one in found)
    assert {one["type"] for one in told} == {kind}
    assert all(one["help"] not in {"", metric} for one in told)


@pytest.mark.slow
def test_rules_of_production_are_evaluated_without_an_error(prometheus):
    groups = prometheus.get("/rules")["groups"]

    told = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
    assert len(told) == 10
    assert set(told.values()) == {"ok"}


@pytest.mark.parametrize("title", GUIDE_PANELS)
def test_dashboard_has_the_panels_of_the_guide(title):
    [panel] = [panel for panel in DASHBOARD["panels"] if panel["title"] == title]

    shown = [(target["expr"], target["legendFormat"]) for target in panel["targets"]]
    assert shown == GUIDE_PANELS[title]


def test_panels_use_the_data_source_that_is_provisioned():
    provisioned = YAML(typ="safe").load(
        MONITORING / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    )
    [source] = provisioned["datasources"]

    used = {target["datasource"]["uid"] for p in DASHBOARD["panels"] for target in p["targets"]}
    assert used == {source["uid"]}


def test_panels_have_ids_of_their_own_and_do_not_overlap():
    panels = DASHBOARD["panels"]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24  # columns of Grafana's grid

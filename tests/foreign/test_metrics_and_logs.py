"""The reference of metrics and log lines says what running services answer and write."""

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs.conftest import ROOT, atlas_chaos

PAGE = ROOT / "docs" / "reference" / "metrics-and-logs.md"
PROBED = ("api", "batch", "ipfs", "portal_wi", "gateway_a")
PROBES = ", ".join(
    f"{name}: {{service: {name}, path: /metrics, every: 5s, format: prometheus}}" for name in PROBED
)
SCENARIO = f"""
claim: metrics and log lines are as the reference says
system: {ROOT}/scenarios/shadow_atlas.system.yaml
load:
  lookups:
    service: api
    request: GET /v1/lookup?lat=43.07&lon=-89.4
    rate: 4/s
    clients: 3
  strangers:
    service: api
    request: GET /v1/lookup?lat=41.25&lon=-95.9
    rate: 4/s
    start: 26s
    count: 20
  extractions:
    service: batch
    request: POST /v1/extractions
    body: {{state: WI, layer: county}}
    rate: 0.4/s
  syncs:
    service: ipfs
    request: POST /v1/snapshots/{{cid}}/sync
    dataset: snapshots
    rate: 1/s
probes: {{{PROBES}}}
steady_state: {{loads: [lookups]}}
baseline: 25s
timeline:
  - {{fault: down, link: api -> db, at: 25s, for: 20s}}
  - {{fault: upstream_response, service: portal_wi, status: 503, at: 25s, for: 40s}}
  - {{fault: upstream_response, service: gateway_a, status: 503, at: 25s, for: 40s}}
settle: {{at_most: 150s, hold: 10s}}
checks: [{{success_ratio: {{load: lookups, during: baseline, at_least: 50%}}}}]
"""


def rows_of(header: str) -> list[list[str]]:
    """Return the rows of the table that begins with a header."""
    _, _, after = PAGE.read_text().partition(header)
    rows = re.match(r"[^\n]*\n\|[-|]+\|\n((?:\|.*\n)+)", after)
    assert rows, f"no table {header}"
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in rows[1].splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Run the bundled system through an outage, once, and return the folder of the run."""
    place = tmp_path_factory.mktemp("metrics")
    file = place / "seen.chaos.yaml"
    file.write_text(SCENARIO)
    done = atlas_chaos(
        "run", file, "--report-dir", place, "--time-scale", "0.1", "--seed", "1", timeout_s=180.0
    )
    assert (place / "runs" / "seen" / "history.ndjson").exists(), done.stdout + done.stderr
    return place / "runs" / "seen"


@pytest.mark.slow
def test_metrics_of_running_services_are_those_of_the_page(folder):
    seen = defaultdict(set)
    for line in (folder / "history.ndjson").read_text().splitlines():
        record = json.loads(line)
        if record["kind"] == "probe":
            for series in record["values"]:
                seen[family_of(series)].add(record["probe"])
    documented = {row[0].strip("`"): set(row[3].split(", ")) for row in rows_of("| metric |")}

    assert dict(seen) == documented


@pytest.mark.slow
def test_labels_of_running_services_are_those_of_the_page(folder):
    seen = defaultdict(set)
    for line in (folder / "history.ndjson").read_text().splitlines():
        record = json.loads(line)
        for series in record["values"] if record["kind"] == "probe" else ():
            seen[family_of(series)].add(", ".join(re.findall(r"[{,](\w+)=", series)))
    documented = {row[0].strip("`"): {row[2]} for row in rows_of("| metric |")}

    assert dict(seen) == documented


def family_of(series: str) -> str:
    """Return the metric that a series belongs to, in the words of the page."""
    name = series.partition("{")[0]
    if name.endswith("_created"):  # the official client adds when a counter began
        return name.removesuffix("_created") + "_total"
    return re.sub(r"_(sum|count)$", "", name)


@pytest.mark.slow
def test_log_lines_of_running_services_have_the_fields_of_the_page(folder):
    fields = rows_of("| field | on |")
    always = {row[0].strip("`") for row in fields if row[1] == "every line"}
    known = {row[0].strip("`") for row in fields}

    lines = [
        (path.name, json.loads(line))
        for name in PROBED
        for path in (folder / "logs").glob(f"{name}.[0-9]*.log")
        for line in path.read_text().splitlines()
    ]

    assert {name for name, _ in lines} == {f"{name}.1.log" for name in PROBED}
    for name, line in lines:
        assert always <= set(line) <= known, (name, line)
        assert f"{line['service']}.{line['incarnation']}.log" == name
    assert any("call_id" in line and "cause" in line for _, line in lines)  # the outage left some


def test_every_line_that_the_code_writes_is_on_the_page():
    documented = {row[0].strip("`") for row in rows_of("| event | level |")}

    assert {f"`{event}`" for event in written()} | {"`*message of the answer*`"} == {
        f"`{event}`" for event in documented
    }


def written() -> Iterator[str]:
    """Yield the fixed words of all log calls."""
    for path in sorted((ROOT / "shadow_atlas").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and is_log(ast.unparse(node.func)):
                event = node.args[0]
                if isinstance(event, ast.Constant):
                    yield str(event.value)


def is_log(function: str) -> bool:
    return function.startswith("structlog.get_logger().") or function == "_log"

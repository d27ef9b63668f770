"""What reports cost: beside a run, for a large suite, and when pytest starts.

python -m pytest benchmarks/test_reporting_cost.py --benchmark-only
"""

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.clock import SystemClock
from harness.model.history import History
from harness.model.records import NS_PER_S
from harness.model.run import RunResult
from harness.reporting.digest import DIGEST_FILE, write_digest
from harness.reporting.write import write_reports
from tests.reporting.sample_runs import sample_records, sample_run

ROOT = Path(__file__).resolve().parents[1]
RUN_S = 60.0  # of the sample's history
RATE_PER_S = 200.0  # the fastest load of a bundled scenario
SHARE_MAX = 0.05  # of the run's wall time

RESULTS = 200
OPERATIONS = 100_000
RENDER_MAX_S = 60.0
RESULTS_MAX_BYTES = 60_000_000
FIGURE_MAX_BYTES = 80_000

COLLECT_ROUNDS = 7
COLLECT_MAX_S = 0.15  # of a processor, more than pytest without the plugin


def _seconds(clock: SystemClock, since_ns: int) -> float:
    return (clock.now_ns() - since_ns) / NS_PER_S


def _digested(folder: Path, rate_per_s: float) -> RunResult:
    """Return a run whose digest lies in its folder, as the runner leaves it."""
    result = sample_run(folder)
    write_digest(result, History(sample_records(rate_per_s)))
    return result


@pytest.mark.slow
def test_reports_take_a_small_share_of_the_run(benchmark: BenchmarkFixture, tmp_path: Path):
    result = sample_run(tmp_path / "run")
    history = History(sample_records(RATE_PER_S))

    def report() -> float:
        clock = SystemClock()
        started_ns = clock.now_ns()
        write_digest(result, history)
        write_reports([result], tmp_path, root=tmp_path)
        return _seconds(clock, started_ns)

    report_s = benchmark.pedantic(report, rounds=3, warmup_rounds=1)

    benchmark.extra_info["share"] = report_s / RUN_S
    assert report_s / RUN_S <= SHARE_MAX


@pytest.mark.slow
def test_a_large_suite_is_rendered(benchmark: BenchmarkFixture, tmp_path: Path):
    first = _digested(tmp_path / "runs" / "0", OPERATIONS / RUN_S)
    assert len(History(sample_records(OPERATIONS / RUN_S)).operations()) > 0.99 * OPERATIONS
    results = [first, *(_copied(first, tmp_path / "runs" / str(n)) for n in range(1, RESULTS))]

    def render() -> float:
        clock = SystemClock()
        started_ns = clock.now_ns()
        write_reports(results, tmp_path, root=tmp_path)
        environ = {**os.environ, "ATLAS_REPORT_HISTORY": str(tmp_path / "history.jsonl")}
        command = [ROOT / "scripts" / "make_report.sh", tmp_path]
        subprocess.run(command, check=True, env=environ, stdout=subprocess.DEVNULL)  # noqa: S603
        return _seconds(clock, started_ns)

    render_s = benchmark.pedantic(render, rounds=1)

    written = _bytes(tmp_path / "allure-results")
    page = (tmp_path / "report.html").stat().st_size
    figure = (tmp_path / "runs" / "0" / "timeline.svg").stat().st_size
    benchmark.extra_info |= {
        "render_s": render_s,
        "results_bytes": written,
        "page_bytes": page,
        "figure_bytes": figure,
    }
    assert figure <= FIGURE_MAX_BYTES
    assert max(written, page) <= RESULTS_MAX_BYTES
    assert render_s <= RENDER_MAX_S


def _copied(result: RunResult, folder: Path) -> RunResult:
    """Return the same run as that of another scenario."""
    folder.mkdir()
    shutil.copy(result.settings.folder / DIGEST_FILE, folder)
    name = f"{result.scenario.name}_{folder.name}"
    return dataclasses.replace(
        result,
        scenario=dataclasses.replace(result.scenario, name=name),
        settings=dataclasses.replace(result.settings, folder=folder),
    )


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
def test_the_plugin_hardly_delays_pytest(benchmark: BenchmarkFixture, tmp_path: Path):
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n")

    def starts() -> tuple[float, float]:
        pairs = [
            (_collecting_s(tmp_path), _collecting_s(tmp_path, "-p", "no:atlas_chaos"))
            for _ in range(COLLECT_ROUNDS)
        ]
        return min(with_s for with_s, _ in pairs), min(without_s for _, without_s in pairs)

    with_s, without_s = benchmark.pedantic(starts, rounds=1)

    benchmark.extra_info |= {"with_s": with_s, "without_s": without_s}
    assert with_s - without_s <= COLLECT_MAX_S


def _collecting_s(folder: Path, *arguments: str) -> float:
    """Return the processor time that a collection took: waiting for others is not its cost."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *arguments, folder]
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)  # noqa: S603
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

"""Run chaos scenarios as pytest items, through the same runner as the command line.

`atlas_chaos_pytest` registers this module when it meets the first scenario file, in the main
process of pytest-xdist as soon as a worker has collected one.
"""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.pytest_support.allure_results import AllureResults
from harness.pytest_support.choices import is_main
from harness.pytest_support.interruptions import Termination
from harness.pytest_support.items import RESULT, ScenarioFile, ScenarioItem
from harness.pytest_support.main_process import MainProcess, teststatus
from harness.pytest_support.outcomes import (
    HarnessBroke,
    Inconclusive,
    PropertyViolation,
    report_without_run,
    verdict_of,
)
from harness.reporting.digest import digest_for
from harness.reporting.run_report import report_of, to_mapping
from harness.reporting.timeline_text import draw_text
from harness.reporting.write import write_run_files

__all__ = ["HarnessBroke", "Inconclusive", "PropertyViolation", "ScenarioFile", "ScenarioItem"]

_MAIN: pytest.StashKey[MainProcess] = pytest.StashKey()
_TERMINATION: pytest.StashKey[Termination] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Start what lives as long as the session."""
    if is_main(config):
        config.stash[_MAIN] = MainProcess(config)
        config.pluginmanager.register(config.stash[_MAIN], "atlas_chaos_main_process")
        config.pluginmanager.register(config.stash[_MAIN].display, "atlas_chaos_progress")
    # In workers too: `timeout` and CI systems signal the whole process group.
    config.stash[_TERMINATION] = Termination()
    config.stash[_TERMINATION].install()
    if config.getoption("allure_report_dir", default=None):
        results = AllureResults(config)
        results.name_lane()
        config.pluginmanager.register(results, "atlas_chaos_allure")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give SIGTERM back."""
    if _TERMINATION in config.stash:
        config.stash[_TERMINATION].remove()


def collect_file(file_path: Path, parent: pytest.Collector) -> ScenarioFile:
    """Return the collector of a scenario file."""
    collector: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
    return collector


def plan(config: pytest.Config, nodeids: Sequence[str]) -> None:
    """Note the scenarios that a worker of pytest-xdist collected."""
    config.stash[_MAIN].plan(nodeids)


def note_collection_error(config: pytest.Config, report: pytest.CollectReport) -> None:
    """Note a scenario file that could not be read."""
    if _MAIN in config.stash:
        config.stash[_MAIN].note_collection_error(report)


@pytest.hookimpl(trylast=True)
def pytest_chaos_composition() -> Any:
    """Return the catalogues and environments that come with the harness."""
    return importlib.import_module("harness.composition")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Note an interruption, and let it pass: an interrupted session is never green."""
    try:
        return (yield)
    except (KeyboardInterrupt, pytest.exit.Exception):
        main = item.config.stash.get(_MAIN, None)
        if isinstance(item, ScenarioItem) and main is not None:
            main.note_interrupted(item.nodeid)
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Put the verdict and the run's report on pytest's, so that they cross processes."""
    report = yield
    if call.when == "call" and isinstance(item, ScenarioItem):
        _tell(item, call, report)
    return report


def _tell(item: ScenarioItem, call: pytest.CallInfo[None], report: Any) -> None:
    result = item.stash.get(RESULT, None)
    if result is not None:
        told = report_of(result)
        digest = digest_for(result)
        write_run_files(result, digest)
        if report.failed and digest is not None:
            report.sections.append(("timeline of the run", draw_text(digest.timeline)))
    else:
        sentence = "" if call.excinfo is None else str(call.excinfo.value)
        path = item.nodeid.partition("::")[0]
        told = report_without_run(name=item.name, path=path, sentence=sentence)
    verdict = told.verdict if call.excinfo is None else verdict_of(call.excinfo.value)
    report.chaos = {"verdict": str(verdict), "report": to_mapping(told)}


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: Any, config: pytest.Config) -> Any:
    """Show INCONCLUSIVE and HARNESS_ERROR as errors, and progress as nothing."""
    return teststatus(report, config)

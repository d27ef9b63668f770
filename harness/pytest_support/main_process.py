"""What the process that the user started keeps account of, serially and with pytest-xdist."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from harness.model.errors import FileProblems
from harness.model.run import DEFAULT_PROXIES
from harness.pytest_support.choices import choices_of, composition_of, is_ours
from harness.pytest_support.items import ScenarioItem
from harness.pytest_support.junit_errors import correct
from harness.pytest_support.ledger import Ledger
from harness.pytest_support.outcomes import is_error, report_without_run
from harness.pytest_support.progress import WHEN, ProgressDisplay, forwarded
from harness.reporting.allure import full_name_of, labels_of
from harness.reporting.allure_files import write_broken, write_side_files
from harness.reporting.console import last_line
from harness.reporting.run_report import RunReport, from_mapping
from harness.reporting.write import append_step_summary, write_suite_files

_LOST_EXIT = 1  # a green exit code would say that everything planned was judged


class MainProcess:
    """Collect the reports of all runs and tell what has none."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._reports: dict[str, RunReport] = {}
        self._lost: dict[str, str] = {}
        self._told: set[str] = set()  # results that are in Allure's folder already
        self.ledger = Ledger()
        self.display = ProgressDisplay(config)

    def plan(self, nodeids: Iterable[str]) -> None:
        """Note what has to be judged; nothing has to if nothing is to be run."""
        if not self._config.getoption("collectonly", default=False):
            self.ledger.plan(nodeids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note the scenarios of a session without workers."""
        self.plan(item.nodeid for item in session.items if isinstance(item, ScenarioItem))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note that an item began."""
        self.ledger.start(nodeid)

    def note_interrupted(self, nodeid: str) -> None:
        """Note that an interrupted item is in Allure's folder."""
        self._told.add(nodeid)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> Any:
        """Take progress, verdicts and crashes."""
        result = yield
        progress = forwarded(report)
        if progress is not None:
            self._config.hook.pytest_chaos_progress(config=self._config, progress=progress)
            return result
        self.ledger.judge(report)
        if report.when == "???":
            self._note_crash(report)
        chaos = getattr(report, "chaos", None)
        if chaos and chaos.get("report"):
            self._note(report.nodeid, from_mapping(chaos["report"]))
        if is_error(report):
            correct(self._config, report)
        return result

    def _note(self, nodeid: str, report: RunReport) -> None:
        self._reports[nodeid] = report
        self.display.finish(report.name)
        self._config.hook.pytest_chaos_finished(config=self._config, report=report)

    def _note_crash(self, report: Any) -> None:
        """Tell about a scenario whose worker died: nobody else would (allure-python#825)."""
        path, _, name = report.nodeid.partition("::")
        if not isinstance(report.longrepr, str) or not is_ours(self._config, path):
            return
        self._note(
            report.nodeid, report_without_run(name=name, path=path, sentence=report.longrepr)
        )
        self._write_broken(report.nodeid, report.longrepr)

    def note_collection_error(self, report: pytest.CollectReport) -> None:
        """Tell Allure about a file that could not be read, which allure-pytest does not."""
        if report.nodeid in self._told:
            return
        self._told.add(report.nodeid)
        self._write_broken(report.nodeid, f"FileProblems: {report.longreprtext}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Take collection errors of scenario files."""
        if report.failed and is_ours(self._config, report.nodeid):
            self.note_collection_error(report)

    def _write_broken(self, nodeid: str, message: str) -> None:
        folder = self._config.getoption("allure_report_dir", default=None)
        if not folder:
            return
        path, _, name = nodeid.partition("::")
        name = name or Path(path).name.partition(".")[0]
        full = self._config.rootpath / path
        write_broken(
            Path(folder),
            full_name=full_name_of(full, name, self._config.rootpath),
            title=name.replace("_", " "),
            message=message,
            labels=self._labels(full),
        )

    def _labels(self, path: Path) -> list[tuple[str, str]]:
        """Return the labels of a scenario file; only its name if it cannot be read."""
        try:
            scenarios = composition_of(self._config).load([path])
        except (FileProblems, OSError):
            return [("suite", path.name), ("layer", "chaos")]
        return labels_of(scenarios[0])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Name what was lost, and write the files beside the results."""
        self.display.clear()
        self._lost = self.ledger.lost()
        for nodeid, reason in self._lost.items():
            path, _, name = nodeid.partition("::")
            self._reports[nodeid] = report_without_run(name=name, path=path, sentence=reason)
            if nodeid not in self._told:
                self._write_broken(nodeid, f"{reason}: the session ended before it was judged")
        if self._lost and exitstatus == 0:
            session.exitstatus = _LOST_EXIT
        folder = self._config.getoption("allure_report_dir", default=None)
        if folder:
            write_side_files(Path(folder), self._facts(), os.environ)
        append_step_summary(list(self._reports.values()), os.environ)
        if self._config.getoption("chaos_report_dir") and self._reports:
            write_suite_files(list(self._reports.values()), choices_of(self._config).report_dir)

    def _facts(self) -> dict[str, str]:
        choices = choices_of(self._config)
        return {
            "environment": choices.environment,
            "proxy": choices.proxy or DEFAULT_PROXIES.get(choices.environment, ""),
            "seed": str(choices.seed),
            "time scale": f"{choices.time_scale:g}",
            "pytest": pytest.__version__,
        }

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say how many scenarios came to which verdict, and which came to none."""
        for nodeid, reason in self._lost.items():
            terminalreporter.write_line(f"NOT JUDGED {nodeid} - {reason}", red=True)
        if self._reports:
            terminalreporter.write_line(last_line(list(self._reports.values())))


def teststatus(report: Any, config: pytest.Config) -> Any:
    """Return pytest's category of a report that is ours; None for all others."""
    if report.when == WHEN:
        return "", "", ""
    is_crash = report.when == "???" and is_ours(config, report.nodeid)
    if is_crash or (report.when == "call" and is_error(report)):
        return "error", "E", ("ERROR", {"red": True})
    return None

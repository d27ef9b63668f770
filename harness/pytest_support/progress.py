"""Bring signs of life from a run to the terminal, through a worker of pytest-xdist if need be."""

import dataclasses
import os
import sys
from typing import Any

import pytest

from harness.model.run import Progress
from harness.pytest_support.choices import is_main
from harness.reporting.console import phase_line, progress_line

WHEN = "chaos"  # the `when` of reports that carry progress and count as nothing
_GAP_S = 0.2  # between two signs of one phase: the eye reads no faster
_REPAINTERS = ("sugar", "pytest_sugar", "rich", "pytest_rich", "richtrace")
_LAST: pytest.StashKey[Progress] = pytest.StashKey()


def announce(item: pytest.Item, progress: Progress) -> None:
    """Hand a sign of life to the main process; too frequent ones are dropped."""
    last = item.stash.get(_LAST, None)
    is_same = last is not None and last.phase == progress.phase
    if last is not None and is_same and progress.elapsed_s - last.elapsed_s < _GAP_S:
        return
    item.stash[_LAST] = progress
    if is_main(item.config):
        item.config.hook.pytest_chaos_progress(config=item.config, progress=progress)
        return
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="passed",
        longrepr=None,
        when=WHEN,  # type: ignore[arg-type]
        chaos_progress=dataclasses.asdict(progress),
    )
    item.config.hook.pytest_runtest_logreport(report=report)


def forwarded(report: Any) -> Progress | None:
    """Return the progress that a worker's report carries."""
    values = getattr(report, "chaos_progress", None)
    return Progress(**values) if report.when == WHEN and values else None


class ProgressDisplay:
    """Show runs in progress: one line below pytest's own on a terminal, else a line per phase."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._running: dict[str, Progress] = {}
        self._told: dict[str, str] = {}

    @pytest.hookimpl
    def pytest_chaos_progress(self, config: pytest.Config, progress: Progress) -> None:
        """Draw or print a sign of life."""
        self._running[progress.scenario] = progress
        if _is_drawable(config):
            self._draw()
        elif config.get_verbosity() > 0 and self._told.get(progress.scenario) != progress.phase:
            self._told[progress.scenario] = progress.phase
            self._print(phase_line(progress))

    def finish(self, name: str) -> None:
        """Take a run off the display."""
        if self._running.pop(name, None) is not None and _is_drawable(self._config):
            self._draw()

    def clear(self) -> None:
        """Take all runs off the display, at the end of a session that was interrupted."""
        is_shown = bool(self._running) and _is_drawable(self._config)
        self._running.clear()
        if is_shown:
            self._draw()

    def _draw(self) -> None:
        """Redraw the line below the cursor and put the cursor back: `ESC D` makes room for it."""
        width = self._terminal().fullwidth if self._terminal() else 80
        each = (width - 1) // max(len(self._running), 1) - 3
        line = " | ".join(progress_line(p, each) for p in self._running.values())
        with _uncaptured(self._config):
            sys.stdout.write(f"\x1bD\x1bM\x1b7\x1bD\r\x1b[2K{line[: width - 1]}\x1b8")
            sys.stdout.flush()

    def _print(self, line: str) -> None:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None:
            return
        with _uncaptured(self._config):
            reporter.ensure_newline()
            reporter.write_line(f"  {line}")

    def _terminal(self) -> Any:
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        return getattr(reporter, "_tw", None)


def _is_drawable(config: pytest.Config) -> bool:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not reporter.isatty or os.environ.get("TERM", "dumb") == "dumb":
        return False
    return not any(config.pluginmanager.has_plugin(name) for name in _REPAINTERS)


def _uncaptured(config: pytest.Config) -> Any:
    """Return a context in which standard output is the terminal's and not pytest's."""
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    return capture.global_and_fixture_disabled()

"""Scenario files as collectors and scenarios as items."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import pytest

from harness.model.errors import FileProblems, HarnessError, PlanRefused
from harness.model.run import Progress, RunResult
from harness.model.scenario import Scenario
from harness.pytest_support.choices import composition_of, was_named
from harness.pytest_support.outcomes import body_of, one_line, settle, short_repr, short_traceback
from harness.pytest_support.progress import announce
from harness.pytest_support.session_runs import session_runs
from harness.reporting.allure import labels_of
from harness.reporting.quantities import seconds

RESULT: pytest.StashKey[RunResult] = pytest.StashKey()
_EXPLAINED = (FileProblems, PlanRefused, HarnessError)  # their text says all, a traceback nothing


class ScenarioFile(pytest.File):
    """A scenario file; it holds one scenario."""

    def collect(self) -> Iterable["ScenarioItem"]:
        """Yield its scenario.

        Raises:
            CollectError: With every problem of the file, as `file:line:col: what to do`.
        """
        try:
            scenarios = composition_of(self.config).load([self._path_as_named()])
        except FileProblems as problems:
            raise self.CollectError(str(problems)) from problems
        for scenario in scenarios:
            yield ScenarioItem.from_scenario(self, scenario)

    def _path_as_named(self) -> Path:
        """Return the path as a user would type it, for the replay command."""
        here = self.config.invocation_params.dir
        is_below = here == Path.cwd() and self.path.is_relative_to(here)
        return self.path.relative_to(here) if is_below else self.path


class ScenarioItem(pytest.Item):
    """A scenario; running it is one run in one environment with one seed."""

    scenario: Scenario

    @classmethod
    def from_scenario(cls, parent: ScenarioFile, scenario: Scenario) -> Self:
        """Return the item with markers from tags and labels for Allure."""
        item: Self = cls.from_parent(parent, name=scenario.name)
        item.scenario = scenario
        item._mark()
        return item

    def _mark(self) -> None:
        """Make tags into markers, and give `-k` and Allure's options something to match.

        Tags are declared just before they are used, so that `--strict-markers` accepts them.
        """
        for tag in self.scenario.tags:
            name = tag.replace("-", "_")
            self.config.addinivalue_line("markers", f"{name}: tag of chaos scenarios")
            self.add_marker(name)
        for kind, value in labels_of(self.scenario):
            self.add_marker(pytest.mark.allure_label(value, label_type=kind))
        words = {self.scenario.system.name, str(self.scenario.severity)}
        for entry in self.scenario.timeline:
            words |= {entry.fault.name, *str(entry.fault.target).replace("->", " ").split()}
        self.extra_keyword_matches.update(words)

    def runtest(self) -> None:
        """Run the scenario and settle its verdict."""
        is_named = was_named(self.config, self.path)
        result = session_runs(self).run(self.scenario, was_named=is_named, listener=self._listen)
        self.stash[RESULT] = result
        self.user_properties += [
            ("verdict", str(result.verdict)),
            ("seed", result.settings.seed),
            ("time_scale", result.settings.time_scale),
            *sorted(result.figures.items()),
        ]
        settle(result)

    def _listen(self, progress: Progress) -> None:
        announce(self, progress)

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: Any = None,  # noqa: ARG002 -- the signature is pytest's
    ) -> Any:
        """Return the details of the run; the traceback only of what nobody explained."""
        if self.config.getoption("fulltrace", default=False):
            return super().repr_failure(excinfo)
        result = self.stash.get(RESULT, None)
        if result is not None:
            return short_repr(excinfo, body_of(result), str(self.path))
        if isinstance(excinfo.value, _EXPLAINED):
            return short_repr(excinfo, one_line(excinfo.value), str(self.path))
        return short_traceback(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return file, line and name, as editors jump to it."""
        return self.path, max(self.scenario.line - 1, 0), self.name

    def __repr__(self) -> str:
        """Return the line of `--collect-only`: name, faults, severity, length, tags."""
        scenario = self.scenario
        faults = ", ".join(f"{e.fault.name}: {e.fault.target}" for e in scenario.timeline)
        parts = [self.name, faults or "no fault", str(scenario.severity)]
        parts.append(f"at most {seconds(scenario.longest_s)} unscaled")
        if scenario.tags:
            parts.append(f"tags={','.join(scenario.tags)}")
        return f"<Scenario {'  '.join(parts)}>"

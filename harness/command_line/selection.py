"""Find the scenarios that a command line means."""

import sys
from dataclasses import dataclass
from pathlib import Path

from harness.command_line.exit_codes import ExitCode, end_with
from harness.command_line.keywords import matches
from harness.composition import load
from harness.model.errors import FileProblems
from harness.model.scenario import Scenario
from harness.scenario_files import discover

DEFAULT_PATH = Path("scenarios")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A scenario, and whether the user named its file."""

    scenario: Scenario
    was_named: bool


def selected(paths: list[Path] | None, keyword: str | None) -> list[Selected]:
    """Return the scenarios of the paths that match the keyword; end with 4 if there is none.

    Every problem of every file is printed before the command ends.
    """
    given = paths or [DEFAULT_PATH]
    try:
        files = discover(given)
        scenarios = load(files)
    except FileProblems as found:
        sys.stderr.write(f"{found}\n")
        count = len(found.problems)
        sys.stderr.write(f"{count} problem{'' if count == 1 else 's'}; nothing was started\n")
        end_with(ExitCode.USAGE)
    try:
        chosen = [one for one in scenarios if keyword is None or _matches(keyword, one)]
    except ValueError as error:
        sys.stderr.write(f"-k {keyword!r}: {error}\n")
        end_with(ExitCode.USAGE)
    if not chosen:
        names = ", ".join(scenario.name for scenario in scenarios) or "none"
        sys.stderr.write(f"no scenario matches {keyword!r}; there are: {names}\n")
        end_with(ExitCode.USAGE)
    named = {path.resolve() for path in given if path.is_file()}
    return [Selected(scenario=one, was_named=one.path.resolve() in named) for one in chosen]


def _matches(keyword: str, scenario: Scenario) -> bool:
    faults = [entry.fault.name for entry in scenario.timeline]
    return matches(keyword, [scenario.name, scenario.severity, *scenario.tags, *faults])

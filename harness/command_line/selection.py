"""Find the scenarios that a command line means."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from harness.command_line.exit_codes import ExitCode, end_with
from harness.command_line.keywords import matches
from harness.composition import load
from harness.model.errors import FileProblems
from harness.model.scenario import Scenario
from harness.scenario_files import SCENARIO_SUFFIX, SYSTEM_SUFFIX, discover

DEFAULT_PATH = Path("scenarios")
_NEXT = "go to your project's folder, name the scenarios, or let 'atlas-chaos init' write the first"


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
    if not paths and not DEFAULT_PATH.exists():
        _refuse(f"there is no folder '{DEFAULT_PATH}' here; {_NEXT}")
    try:
        files = discover(given)
        scenarios = load(files)
    except FileProblems as found:
        count = len(found.problems)
        hint = "".join(_hint_of(path) for path in given)
        _refuse(f"{found}\n{hint}{count} problem{'' if count == 1 else 's'}; nothing was started")
    if not files:
        _refuse(f"{', '.join(map(str, given))} holds no *{SCENARIO_SUFFIX}; {_NEXT}")
    try:
        chosen = [one for one in scenarios if keyword is None or _matches(keyword, one)]
    except ValueError as error:
        _refuse(f"-k {keyword!r}: {error}")
    if not chosen:
        names = "\n  ".join(scenario.name for scenario in scenarios)
        _refuse(f"no scenario matches -k {keyword!r}; there are:\n  {names}")
    named = {path.resolve() for path in given if path.is_file()}
    return [Selected(scenario=one, was_named=one.path.resolve() in named) for one in chosen]


def _refuse(reason: str) -> NoReturn:
    sys.stderr.write(f"{reason}\n")
    end_with(ExitCode.USAGE)


def _hint_of(path: Path) -> str:
    if path.name.endswith(SYSTEM_SUFFIX) and path.exists():
        return f"a system is started alone by 'atlas-chaos up {path}'\n"
    return ""


def _matches(keyword: str, scenario: Scenario) -> bool:
    faults = [entry.fault.name for entry in scenario.timeline]
    return matches(keyword, [scenario.name, scenario.severity, *scenario.tags, *faults])

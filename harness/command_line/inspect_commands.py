"""The commands that look at scenarios and saved runs without starting anything."""

import sys
from pathlib import Path

from harness.clock import SystemClock
from harness.command_line.exit_codes import ExitCode, code_for, end_with
from harness.command_line.selection import Selected
from harness.composition import RUN_FILE, judge_saved
from harness.environments.choice import make_environment
from harness.model.errors import FileProblems, PlanRefused
from harness.model.run import default_time_scale
from harness.plan import lanes, make_plan
from harness.reporting.console import closing, console_for
from harness.reporting.run_report import report_of

DEFAULT_REPORTS = Path("reports/latest")
_LISTED_MAX = 5


def show_list(chosen: list[Selected]) -> None:
    """Print name, severity, faults, tags and claim of each scenario."""
    for one in chosen:
        scenario = one.scenario
        faults = ", ".join(
            f"{entry.fault.name} {entry.fault.target}" for entry in scenario.timeline
        )
        sys.stdout.write(
            f"{scenario.name}  [{scenario.severity}]  {' '.join(scenario.tags)}\n"
            f"    {scenario.claim}\n"
            f"    faults: {faults or 'none'}; checks: "
            f"{', '.join(check.name for check in scenario.checks)}\n"
        )
    sys.stdout.write(f"{len(chosen)} scenarios\n")


def show_valid(chosen: list[Selected]) -> None:
    """Say that all files can be read; problems were printed before."""
    for one in chosen:
        sys.stdout.write(f"{one.scenario.path}: ok\n")
    sys.stdout.write(f"{len(chosen)} scenarios, no problem\n")


def show_plans(
    chosen: list[Selected], *, environment: str, proxy: str, time_scale: float | None
) -> None:
    """Print the lanes of each scenario; end with 4 if one of them cannot be meant."""
    try:
        where = make_environment(environment, proxy, SystemClock())
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        end_with(ExitCode.USAGE)
    time_scale = time_scale or default_time_scale(environment)
    refused = False
    for one in chosen:
        try:
            plan = make_plan(one.scenario, time_scale=time_scale, environment=where)
        except PlanRefused as refusal:
            sys.stderr.write(f"{refusal}\n")
            refused = True
            continue
        sys.stdout.write(lanes(plan) + "\n\n")
    if refused:
        end_with(ExitCode.USAGE)


def judge_again(folder: Path, changed: Path | None) -> None:
    """Judge a saved run again and end with its exit code."""
    try:
        result = judge_saved(folder, changed)
    except (FileNotFoundError, NotADirectoryError):
        sys.stderr.write(
            f"{folder} holds no saved run ({RUN_FILE} and history){_runs_below(folder)}\n"
        )
        end_with(ExitCode.USAGE)
    except (FileProblems, ValueError) as error:
        sys.stderr.write(f"{folder} cannot be judged: {error}\n")
        end_with(ExitCode.USAGE)
    console_for().print(closing([report_of(result)]))
    end_with(code_for(result.verdict))


def _runs_below(folder: Path) -> str:
    """Return the saved runs that somebody who named `folder` may have meant."""
    places = [folder, DEFAULT_REPORTS] if folder.is_dir() else [DEFAULT_REPORTS]
    for place in places:
        found = [str(file.parent) for file in sorted(place.glob(f"**/{RUN_FILE}"))]
        if found:
            return f"; saved runs: {', '.join(found[:_LISTED_MAX])}"
    return "; 'atlas-chaos run' makes them, in reports/latest/runs/NAME"

"""The command `run`: a suite of scenarios, live progress, reports, and the exit code."""

import asyncio
import os
import platform
import signal
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from harness.clock import SystemClock
from harness.command_line.exit_codes import Done, ExitCode, code_for, end_with
from harness.command_line.selection import Selected
from harness.command_line.standing_sheet import sheet
from harness.composition import RunChoices, seed_from_clock, suite_environment
from harness.environments.choice import make_environment
from harness.environments.standing import standing_in
from harness.environments.undo import work_folder
from harness.model.errors import PlanRefused, WorldNotClean
from harness.model.run import DEFAULT_PROXIES, RunResult, default_time_scale
from harness.model.verdict import Verdict, worst
from harness.plan import make_plan
from harness.reporting.console import closing, console_for
from harness.reporting.json_report import summary_json
from harness.reporting.live import LiveDisplay
from harness.reporting.run_report import report_of
from harness.reporting.write import write_reports
from harness.suite import run_all


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the command line says about a suite."""

    scenarios: list[Selected]
    environment: str
    proxy: str
    time_scale: float | None
    seed: int | None
    report_dir: Path
    workers: int
    keep: bool
    json_output: bool


def run_suite(options: RunOptions) -> None:
    """Run the suite, write its reports, and end with its exit code."""
    choices = RunChoices(
        environment=options.environment,
        proxy=options.proxy,
        seed=seed_from_clock(SystemClock()) if options.seed is None else options.seed,
        time_scale=options.time_scale or default_time_scale(options.environment),
        report_dir=options.report_dir,
        keep=options.keep,
    )
    _refuse_what_cannot_be_meant(options, choices)
    results, left_behind = _run(options, choices)
    facts = {
        "atlas-chaos": version("atlas-chaos"),
        "python": platform.python_version(),
        "environment": choices.environment,
        "proxy": choices.proxy or DEFAULT_PROXIES[choices.environment],
        "time_scale": f"{choices.time_scale:g}",
        "seed": str(choices.seed),
    }
    files = write_reports(
        results, options.report_dir, root=Path.cwd(), facts=facts, environ=os.environ
    )
    reports = [report_of(result) for result in results]
    if options.json_output:
        sys.stdout.write(summary_json(reports) + "\n")
    else:
        console = console_for()
        console.print(closing(reports))
        console.print(f"reports: {', '.join(map(str, files))}", soft_wrap=True)
    _tell_what_stands(results)
    if left_behind:
        sys.stderr.write(f"{left_behind}\n")
        end_with(ExitCode.HARNESS_ERROR)
    end_with(code_for(_suite_verdict(results)))


def _tell_what_stands(results: list[RunResult]) -> None:
    """Say how to reach and stop a system that was kept; on standard error, beside any JSON."""
    for result in results:
        standing = standing_in(work_folder(result.settings.run_id))
        if standing is not None:
            sys.stderr.write(f"\n{sheet(standing)}\n'atlas-chaos down' stops it\n")


def _suite_verdict(results: list[RunResult]) -> Verdict:
    """Return the worst verdict; a suite of skipped scenarios judged nothing."""
    judged = [result.verdict for result in results if result.verdict is not Verdict.SKIPPED]
    return worst(judged)


def _refuse_what_cannot_be_meant(options: RunOptions, choices: RunChoices) -> None:
    """Plan every scenario before anything starts, and print every reason."""
    reasons: list[str] = []
    if options.keep and len(options.scenarios) > 1:
        reasons.append(
            f"--keep keeps one system, and {len(options.scenarios)} scenarios are chosen; name one"
        )
    try:
        environment = make_environment(choices.environment, choices.proxy, SystemClock())
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        end_with(ExitCode.USAGE)
    for one in options.scenarios:
        lacking = environment.missing(one.scenario)
        if one.was_named:
            reasons += [f"{one.scenario.name}: {why}" for why in lacking]
        if lacking:
            continue  # SKIPPED, with these reasons
        try:
            make_plan(one.scenario, time_scale=choices.time_scale, environment=environment)
        except PlanRefused as refusal:
            reasons.append(str(refusal))
    if reasons:
        sys.stderr.write("\n".join(reasons) + "\nnothing was started\n")
        end_with(ExitCode.USAGE)


def _run(options: RunOptions, choices: RunChoices) -> tuple[list[RunResult], str]:
    """Return the results, and what could not be removed afterwards."""
    console = console_for(is_error=options.json_output)
    try:
        with LiveDisplay(console) as display, asyncio.Runner() as runner:
            return runner.run(_interruptible(options, choices, display))
    except asyncio.CancelledError as error:
        raise Done(ExitCode.INTERRUPTED) from error


async def _interruptible(
    options: RunOptions, choices: RunChoices, display: LiveDisplay
) -> tuple[list[RunResult], str]:
    """Run until the end, Ctrl-C or SIGTERM; the latter two stop everything in an orderly way."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    results: list[RunResult] = []
    try:
        async with suite_environment(choices) as environment:
            results = await run_all(
                [(one.scenario, one.was_named) for one in options.scenarios],
                choices,
                environment=environment,
                workers=options.workers,
                listener=display.on_progress,
                finished=lambda result: display.on_finished(report_of(result)),
            )
    except WorldNotClean as error:  # each run ended clean, so this is what they shared
        return results, str(error)
    return results, ""

"""Put the parts together: catalogues, environments, and one run from a scenario to its result.

The command line and the pytest plugin are built on this; nothing below it knows all the parts.
"""

import asyncio
import json
import shutil
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from fault_injectors.catalogue import FAULTS
from harness.checks import CHECKS
from harness.clock import Clock, SystemClock
from harness.environments.choice import make_environment, shared_environment
from harness.environments.turns import StartsInTurn
from harness.model.errors import FileProblems, PlanRefused, Problem
from harness.model.run import (
    Environment,
    Listener,
    Progress,
    RunResult,
    RunSettings,
)
from harness.model.scaling import scaled
from harness.model.scenario import Scenario
from harness.model.seeds import derive_seed
from harness.model.verdict import Verdict
from harness.plan import Plan, make_plan
from harness.reporting.digest import write_digest
from harness.runner import Recipe, judged, run_scenario
from harness.scenario_files import SystemFiles, dump_scenario, load_scenario

RUN_FILE = "run.json"
HISTORY_FILE = "history.ndjson"
INPUTS = "inputs"
RUNS_MAX = 3  # of what the machine keeps from deciding; a fourth would wait for luck


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChoices:
    """What a user chooses for all runs of a suite.

    Args:
        environment: Name of the environment.
        proxy: Name of the fault proxy; empty for the environment's own choice.
        seed: Everything random of every run derives from it.
        time_scale: Factor on durations, in (0, 1].
        report_dir: Folder of the suite's reports.
        keep: Leave systems running.
    """

    environment: str = "processes"
    proxy: str = ""
    seed: int
    time_scale: float
    report_dir: Path
    keep: bool = False


def seed_from_clock(clock: Clock) -> int:
    """Return a seed for a suite whose user chose none; it is printed, so it can be replayed."""
    return derive_seed(clock.wall_unix_ns(), "seed") % 1_000_000


def suite_environment(choices: RunChoices) -> AbstractAsyncContextManager[Environment]:
    """Return the environment for all runs of a suite; leaving it removes what they shared.

    Raises:
        ValueError: On entering, if the environment or the proxy has no such name.
        WorldNotClean: On leaving, if something is still there.
    """
    return shared_environment(choices.environment, choices.proxy, SystemClock())


def load(paths: Sequence[Path]) -> list[Scenario]:
    """Return the scenarios of files, each system file read once.

    Raises:
        FileProblems: With the problems of all files.
    """
    systems = SystemFiles()
    scenarios, problems = [], []
    for path in paths:
        try:
            scenarios.append(load_scenario(path, faults=FAULTS, checks=CHECKS, systems=systems))
        except FileProblems as found:
            problems += [problem for problem in found.problems if problem not in problems]
    problems += _same_names(scenarios)
    if problems:
        raise FileProblems(problems)
    return scenarios


def _same_names(scenarios: Sequence[Scenario]) -> list[Problem]:
    """Return a problem for each scenario whose name another one has: names are report folders."""
    first: dict[str, Path] = {}
    problems = []
    for scenario in scenarios:
        other = first.setdefault(scenario.name, scenario.path)
        if other != scenario.path:
            message = f"the scenario has the same name as {other}; rename one of them"
            problems.append(Problem(path=scenario.path, line=0, column=0, message=message))
    return problems


async def run_one(  # noqa: PLR0913 -- what a suite says of a run, and what it hands to it
    scenario: Scenario | Path,
    choices: RunChoices,
    *,
    was_named: bool = True,
    tries: range = range(RUNS_MAX),
    turn: asyncio.Lock | None = None,
    environment: Environment | None = None,
    listener: Listener | None = None,
) -> RunResult:
    """Run one scenario and return what it came to; it never raises for what a run did.

    Args:
        scenario: The scenario, unscaled, or its file.
        choices: How to run it.
        was_named: Whether the user named it. One that was only found in a folder and cannot run
            here is SKIPPED; one that was named is refused.
        tries: What the machine keeps from deciding is run again while they last; a range that
            does not begin with 0 says that it was run before.
        turn: Held while its system starts, if it is not the only run.
        environment: The one of the suite, from `suite_environment`; without it the run shares
            nothing.
        listener: Takes signs of life.

    Raises:
        FileProblems: If the file cannot be meant.
        PlanRefused: If the scenario cannot mean anything here.
        ValueError: If the environment or the proxy has no such name.
    """
    if isinstance(scenario, Path):
        [scenario] = load([scenario])
    clock = SystemClock()
    if environment is None:
        environment = make_environment(choices.environment, choices.proxy, clock)
    if turn is not None:
        environment = StartsInTurn(environment, turn)
    settings = _settings(scenario, choices, environment, clock)
    lacking = environment.missing(scenario)
    if lacking and was_named:
        raise PlanRefused(scenario.name, lacking)
    if lacking:
        return RunResult(
            scenario=scenario,
            settings=settings,
            verdict=Verdict.SKIPPED,
            sentence="; ".join(lacking),
            started_unix_ns=clock.wall_unix_ns(),
        )
    plan = make_plan(scenario, time_scale=choices.time_scale, environment=environment)
    recipe = Recipe(
        settings=settings,
        environment=environment,
        clock=clock,
        listener=listener or _nobody,
        history_path=settings.folder / HISTORY_FILE,
    )
    result = await _decided(plan, recipe, scenario, choices, tries)
    # In a thread: other runs share this loop, and a stall of it would be read as the machine's.
    return await asyncio.to_thread(_digested, _with_reruns(result))


async def _decided(
    plan: Plan, recipe: Recipe, scenario: Scenario, choices: RunChoices, tries: range
) -> RunResult:
    """Run until the machine lets it be decided, or the tries are over."""
    for number in tries:
        _prepare_folder(scenario, recipe.settings)
        result = replace(await run_scenario(plan, recipe), reruns=number)
        if not result.is_noisy or choices.keep or number == tries[-1]:
            return result
    raise ValueError("no try is no run")


def _digested(result: RunResult) -> RunResult:
    """Keep what reports need of the history while it is in memory, and let go of it."""
    if result.history is not None:
        write_digest(result, result.history)
    return replace(result, history=None)


def _with_reruns(result: RunResult) -> RunResult:
    """Return a result that says in its sentence and figures how often it was run before."""
    if not result.reruns:
        return result
    told = f"{result.sentence} (run {result.reruns + 1}: not decided before)"
    figures = {**result.figures, "reruns": float(result.reruns)}
    return replace(result, sentence=told, figures=figures)


def _nobody(progress: Progress) -> None:
    """Listen to nothing."""
    _ = progress


def _settings(
    scenario: Scenario, choices: RunChoices, environment: Environment, clock: Clock
) -> RunSettings:
    moment = f"{clock.now_ns():x}"[-8:]  # tells apart two runs of one scenario on one machine
    return RunSettings(
        environment=choices.environment,
        proxy=environment.proxy_for(scenario),
        seed=choices.seed,
        time_scale=choices.time_scale,
        folder=choices.report_dir / "runs" / scenario.name,
        run_id=f"{scenario.name[:40]}-{moment}",
        keep=choices.keep,
    )


def _prepare_folder(scenario: Scenario, settings: RunSettings) -> None:
    """Make the run's folder anew, with all that judging it again will need."""
    folder = settings.folder
    if folder.exists():
        shutil.rmtree(folder)
    _copy_inputs(scenario, folder / INPUTS)
    about = {
        "schema": 1,
        "scenario": scenario.path.name,
        "path": str(scenario.path),
        "environment": settings.environment,
        "proxy": settings.proxy,
        "seed": settings.seed,
        "time_scale": settings.time_scale,
        "run_id": settings.run_id,
    }
    (folder / RUN_FILE).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _copy_inputs(scenario: Scenario, inputs: Path) -> None:
    """Copy scenario, system and rules side by side, with references that find them there."""
    inputs.mkdir(parents=True)
    shutil.copy(scenario.system.path, inputs / scenario.system.path.name)
    alerts = scenario.alerts
    if alerts is not None:
        shutil.copy(scenario.path.parent / alerts.rules, inputs / alerts.rules.name)
        alerts = replace(alerts, rules=Path(alerts.rules.name))
    if scenario.system.path.parent == scenario.path.parent and alerts == scenario.alerts:
        shutil.copy(scenario.path, inputs / scenario.path.name)
        return
    system = replace(scenario.system, path=inputs / scenario.system.path.name)
    moved = replace(scenario, path=inputs / scenario.path.name, system=system, alerts=alerts)
    moved.path.write_text(dump_scenario(moved), encoding="utf-8")


def judge_saved(folder: Path, changed: Path | None = None) -> RunResult:
    """Judge a saved run again, from its history and its copy of the scenario alone.

    Args:
        folder: Folder of the run.
        changed: A scenario to judge it by instead, e.g. one with another bound.

    Raises:
        FileNotFoundError: If the folder holds no saved run.
        FileProblems: If the saved scenario cannot be read by this version.
        ValueError: If the history cannot be read.
    """
    about = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    [scenario] = load([changed or folder / INPUTS / about["scenario"]])
    scenario = scaled(replace(scenario, path=Path(about["path"])), about["time_scale"])
    return judged(
        RunResult(
            scenario=scenario,
            settings=RunSettings(
                environment=about["environment"],
                proxy=about["proxy"],
                seed=about["seed"],
                time_scale=about["time_scale"],
                folder=folder,
                run_id=about["run_id"],
            ),
            verdict=Verdict.INCONCLUSIVE,
            history_path=folder / HISTORY_FILE,
        )
    )

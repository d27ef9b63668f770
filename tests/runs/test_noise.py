"""A run that the machine kept from deciding is run again, at most twice, and says so."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from harness import composition
from harness.clock import SystemClock
from harness.composition import RUNS_MAX, RunChoices, load, run_one
from harness.environments.choice import make_environment
from harness.model.run import Progress, RunResult
from harness.model.verdict import Verdict
from harness.suite import run_all


@pytest.fixture
def outcomes(monkeypatch):
    """Let the runs come to what a test says, one after the other, without starting anything."""
    noisy: list[bool] = []
    runs = []

    async def run(plan, recipe):
        runs.append(recipe.settings)
        is_noisy = noisy[len(runs) - 1]
        return RunResult(
            scenario=plan.scenario,
            settings=recipe.settings,
            verdict=Verdict.INCONCLUSIVE if is_noisy else Verdict.PASSED,
            sentence="what it came to",
            is_noisy=is_noisy,
        )

    monkeypatch.setattr(composition, "run_scenario", run)
    return noisy, runs


def result_of(tmp_path, **changes) -> RunResult:
    choices = RunChoices(seed=1, time_scale=0.1, report_dir=tmp_path)
    path = Path("scenarios/lookups_survive_a_dead_database.chaos.yaml")
    return asyncio.run(run_one(path, replace(choices, **changes)))


def test_a_quiet_run_is_run_once(outcomes, tmp_path):
    noisy, runs = outcomes
    noisy += [False]

    result = result_of(tmp_path)

    assert (len(runs), result.reruns, result.sentence) == (1, 0, "what it came to")


def test_a_noisy_run_is_run_again_with_the_same_seed_and_says_so(outcomes, tmp_path):
    noisy, runs = outcomes
    noisy += [True, False]

    result = result_of(tmp_path)

    assert result.verdict is Verdict.PASSED
    assert result.figures["reruns"] == 1.0
    assert "run 2: not decided before" in result.sentence
    assert runs[0] == runs[1]


def test_a_machine_that_stays_noisy_leaves_it_inconclusive(outcomes, tmp_path):
    noisy, runs = outcomes
    noisy += [True] * 9

    result = result_of(tmp_path)

    assert result.verdict is Verdict.INCONCLUSIVE
    assert len(runs) == RUNS_MAX


def test_a_run_whose_system_is_kept_is_not_run_again(outcomes, tmp_path):
    noisy, runs = outcomes
    noisy += [True] * 9

    result_of(tmp_path, keep=True)

    assert len(runs) == 1


def suite_of(tmp_path, workers) -> tuple[list[RunResult], list[str], list[Progress]]:
    names = ("a_stale_cache_without_limit_is_found", "lookups_survive_a_dead_database")
    scenarios = load([Path(f"scenarios/{name}.chaos.yaml") for name in names])
    finished, told = [], []
    results = asyncio.run(
        run_all(
            [(one, True) for one in scenarios],
            RunChoices(seed=1, time_scale=0.1, report_dir=tmp_path),
            environment=make_environment("processes", "", SystemClock()),
            workers=workers,
            listener=told.append,
            finished=lambda result: finished.append(result.scenario.name),
        )
    )
    assert [one.scenario.name for one in results] == list(names)
    return results, finished, told


def test_side_by_side_the_longest_begins_and_the_noisy_one_is_run_again_at_the_end(
    outcomes, tmp_path
):
    noisy, runs = outcomes
    noisy += [True, False, False]

    results, finished, told = suite_of(tmp_path, workers=2)

    order = ["lookups_survive_a_dead_database", "a_stale_cache_without_limit_is_found"]
    assert [settings.folder.name for settings in runs] == [*order, order[0]]
    assert finished == [order[1], order[0]]
    assert [result.reruns for result in results] == [0, 1]
    assert [(one.scenario, one.phase) for one in told] == [(order[0], "wait")]


def test_a_noisy_run_is_told_once_however_often_it_is_repeated(outcomes, tmp_path):
    noisy, runs = outcomes
    noisy += [True, False, True, True]

    results, finished, _ = suite_of(tmp_path, workers=2)

    assert len(runs) == 1 + RUNS_MAX
    assert len(finished) == 2
    assert results[1].verdict is Verdict.INCONCLUSIVE
    assert results[1].reruns == RUNS_MAX - 1


def test_one_after_the_other_a_noisy_run_is_run_again_at_once(outcomes, tmp_path):
    noisy, runs = outcomes
    noisy += [True, False, False]

    _, finished, _ = suite_of(tmp_path, workers=1)

    assert [settings.folder.name for settings in runs] == [finished[0], finished[0], finished[1]]

"""Run the scenarios of a suite side by side."""

import asyncio
from collections.abc import Callable, Sequence

from harness.composition import RUNS_MAX, RunChoices, run_one
from harness.model.run import Listener, Progress, RunResult
from harness.model.scenario import Scenario
from harness.model.verdict import Verdict

_LATER = "not decided beside others; run again at the end, alone"


async def run_all(
    scenarios: Sequence[tuple[Scenario, bool]],
    choices: RunChoices,
    *,
    workers: int,
    listener: Listener,
    finished: Callable[[RunResult], None],
) -> list[RunResult]:
    """Run scenarios, at most `workers` at the same time; the results stand in their order.

    Side by side the long ones begin first, so that no worker is left with one of them at the end
    (longest processing time first: Graham 1969, at most a third longer than the best order), and
    what could not be decided beside others is run again at the end, alone.

    Args:
        scenarios: Each with whether the user named it.
        choices: How to run them.
        workers: Runs at the same time; each has a system of its own.
        listener: Takes signs of life.
        finished: Called with each result when it is there.
    """
    results: dict[int, RunResult] = {}
    slots = asyncio.Semaphore(workers)
    is_crowded = min(workers, len(scenarios)) > 1 and not choices.keep

    async def run(index: int, tries: range) -> None:
        scenario, was_named = scenarios[index]
        async with slots:
            result = await run_one(
                scenario, choices, was_named=was_named, tries=tries, listener=listener
            )
        results[index] = result
        if result.verdict is Verdict.INCONCLUSIVE and tries.stop < RUNS_MAX:
            listener(Progress(scenario=scenario.name, phase="wait", message=_LATER))
        else:
            finished(result)

    order: Sequence[int] = range(len(scenarios))
    if is_crowded:
        order = sorted(order, key=lambda index: scenarios[index][0].shortest_s, reverse=True)
    async with asyncio.TaskGroup() as group:
        for index in order:
            group.create_task(run(index, range(1 if is_crowded else RUNS_MAX)))
    for index in order:
        if is_crowded and results[index].verdict is Verdict.INCONCLUSIVE:
            await run(index, range(1, RUNS_MAX))
    return [results[index] for index in sorted(results)]

"""Run the scenarios of a suite side by side."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from harness.composition import RUNS_MAX, RunChoices, run_one
from harness.model.run import Environment, Listener, Progress, RunResult
from harness.model.scenario import Scenario
from harness.model.verdict import Verdict


async def run_all(
    scenarios: Sequence[tuple[Scenario, bool]],
    choices: RunChoices,
    *,
    environment: Environment,
    workers: int,
    listener: Listener,
    finished: Callable[[RunResult], None],
) -> list[RunResult]:
    """Run scenarios, at most `workers` at the same time; the results stand in their order.

    Side by side they begin by turns from both ends of their lengths, the longest first: long ones
    mostly wait, so all at once they would leave the processors idle, and one that begins late
    would be waited for alone. Systems start one at a time. What could not be decided beside others
    is run again at the end, beside half as many, and then alone.

    Args:
        scenarios: Each with whether the user named it.
        choices: How to run them.
        environment: Where, from `suite_environment`.
        workers: Runs at the same time; each has a system of its own.
        listener: Takes signs of life.
        finished: Called with each result when it is there.
    """
    results: dict[int, RunResult] = {}
    turn = asyncio.Lock()

    async def run(index: int, tries: range, slots: asyncio.Semaphore) -> None:
        scenario, was_named = scenarios[index]
        async with slots:
            result = await run_one(
                scenario,
                choices,
                was_named=was_named,
                tries=tries,
                turn=turn,
                environment=environment,
                listener=listener,
            )
        results[index] = result
        if result.verdict is Verdict.INCONCLUSIVE and tries.stop < RUNS_MAX:
            listener(_put_off(result))
        else:
            finished(result)

    pending: Sequence[int] = range(len(scenarios))
    for tries, at_once in _rounds(1 if choices.keep else min(workers, len(scenarios))):
        slots = asyncio.Semaphore(at_once)
        if at_once > 1:
            pending = _by_turns(sorted(pending, key=lambda one: scenarios[one][0].shortest_s))
        async with asyncio.TaskGroup() as group:
            for index in pending:
                group.create_task(run(index, tries, slots))
        pending = [one for one in pending if results[one].verdict is Verdict.INCONCLUSIVE]
    return [results[index] for index in sorted(results)]


def _put_off(result: RunResult) -> Progress:
    """Return what is said of a run that was not decided, and why."""
    told = f"{result.sentence}; run again at the end, beside fewer"
    return Progress(scenario=result.scenario.name, phase="wait", message=told)


def _by_turns(ascending: Sequence[int]) -> list[int]:
    """Return the last, the first, the last but one, the second, and so on.

    >>> _by_turns([1, 2, 3, 4, 5])
    [5, 1, 4, 2, 3]
    """
    left = deque(ascending)
    return [left.popleft() if turn % 2 else left.pop() for turn in range(len(ascending))]


def _rounds(workers: int) -> Iterator[tuple[range, int]]:
    """Yield which tries are made in each round, and how many runs at once: half of them, then one.

    Alone, what is not decided is run again at once.

    >>> list(_rounds(8))
    [(range(0, 1), 8), (range(1, 2), 4), (range(2, 3), 1)]
    >>> list(_rounds(2))
    [(range(0, 1), 2), (range(1, 3), 1)]
    """
    last = RUNS_MAX - 1
    for number in range(last):
        at_once = workers >> number
        if at_once <= 1:
            last = number
            break
        yield range(number, number + 1), at_once
    yield range(last, RUNS_MAX), 1

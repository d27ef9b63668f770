"""What containers cost: a fault on one, and the change from one run to the next. Needs an engine.

ATLAS_DOCKER=1 python -m pytest benchmarks/test_containers.py --benchmark-only
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from harness.clock import SystemClock
from harness.composition import load
from harness.environments.compose import ComposeEnvironment
from harness.environments.compose.capabilities import ContainerCapabilities
from harness.environments.compose.projects import Projects
from harness.model.fault import Effect
from harness.model.records import NS_PER_S
from harness.model.system import Link
from tests.docker.running import SCENARIO, Running, running_system, settings

pytestmark = [
    pytest.mark.slow,
    # An engine is root on its host, and is used only where somebody has asked for it.
    pytest.mark.skipif(
        os.environ.get("ATLAS_DOCKER") != "1", reason="NOT RUN: ATLAS_DOCKER=1 starts containers"
    ),
]

ROUNDS = 7
RUNS = 4
RESET_MAX_S = 3.0  # what a run before leaves is gone, and what the next one needs is made
FAULTS: dict[str, tuple[float, Callable[[ContainerCapabilities], Effect]]] = {
    "pause": (0.1, lambda on: on.processes.pause("tiger")),
    "kill": (0.5, lambda on: on.processes.kill("tiger")),
    "partition": (
        0.5,
        lambda on: on.network.partition(Link("api", "db"), direction="both", answer="drop"),
    ),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from running_system(Running(tmp_path_factory.mktemp("run")))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_in_force_and_read_back_at_once(
    benchmark: BenchmarkFixture, running: Running, fault: str
):
    limit_s, injected = FAULTS[fault]
    clock, taken_s = SystemClock(), []

    async def hit() -> None:
        started_ns = clock.now_ns()
        async with injected(running.system.capabilities):
            taken_s.append((clock.now_ns() - started_ns) / NS_PER_S)

    benchmark.pedantic(lambda: running.run(hit()), rounds=ROUNDS)

    applied_s = sorted(taken_s)[ROUNDS // 2]
    benchmark.extra_info |= {"applied_s": applied_s, "slowest_s": max(taken_s)}
    assert applied_s <= limit_s


def test_the_next_run_finds_a_system_as_new(benchmark: BenchmarkFixture, tmp_path: Path):
    [scenario] = load([SCENARIO])
    clock = SystemClock()
    left_s: list[float] = []  # a run was left: its services ended, its containers are gone
    made_s: list[float] = []  # containers and database of the next one are there
    ready_s: list[float] = []  # its services answer

    async def run(environment: ComposeEnvironment, number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        since_ns = clock.now_ns()
        passed = partial(_passed_s, clock, since_ns)
        first: list[float] = []

        def record(one: object) -> None:
            if getattr(one, "what", "") == "started" and not first:
                first.append(passed())

        told = settings(folder, f"reset-{os.getpid()}-{number}")
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(environment.start(scenario, told, record))
            ready_s.append(passed())
            made_s.append(first[0])
            since_ns = clock.now_ns()
        left_s.append(_passed_s(clock, since_ns))

    async def suite() -> None:
        async with Projects(clock=clock) as projects:
            environment = ComposeEnvironment(clock=clock, projects=projects)
            for number in range(RUNS):
                await run(environment, number)

    benchmark.pedantic(lambda: asyncio.run(suite()), rounds=1)

    # The first run has made the project.
    changes_s = [left + made for left, made in zip(left_s, made_s[1:], strict=False)]
    benchmark.extra_info |= {
        "reset_s": sorted(changes_s)[len(changes_s) // 2],
        "ready_s": sorted(ready_s[1:])[len(changes_s) // 2],
    }
    assert benchmark.extra_info["reset_s"] <= RESET_MAX_S


def _passed_s(clock: SystemClock, since_ns: int) -> float:
    return (clock.now_ns() - since_ns) / NS_PER_S

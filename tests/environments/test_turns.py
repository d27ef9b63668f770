"""Systems start one at a time, whatever becomes of a start, and run side by side."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from harness.environments.turns import StartsInTurn
from harness.model.errors import ServiceNotReady


class Noted:
    """An environment that notes its starts, and lets each last until the others had their say."""

    name = "noted"

    def __init__(self, fails: frozenset[int] = frozenset()) -> None:
        self.notes: list[str] = []
        self.running = 0
        self.running_max = 0
        self._fails = fails

    def offers(self):
        return frozenset()

    def missing(self, _scenario):
        return []

    def proxy_for(self, _scenario):
        return ""

    @asynccontextmanager
    async def start(self, scenario, _settings, _record):
        self.notes.append(f"begin {scenario}")
        for _ in range(5):
            await asyncio.sleep(0)
        if scenario in self._fails:
            self.notes.append(f"fail {scenario}")
            raise ServiceNotReady("it does not start")
        self.notes.append(f"ready {scenario}")
        self.running += 1
        self.running_max = max(self.running, self.running_max)
        yield scenario
        self.running -= 1


def run_all(environment: Noted, count: int) -> list[object]:
    async def run() -> list[object]:
        turn, everybody = asyncio.Lock(), asyncio.Event()

        async def one(number: int) -> None:
            async with StartsInTurn(environment, turn).start(number, None, None):
                if number == count - 1:
                    everybody.set()
                await everybody.wait()

        return await asyncio.gather(*(one(i) for i in range(count)), return_exceptions=True)

    return asyncio.run(run())


def test_starts_wait_for_each_other_and_runs_do_not():
    environment = Noted()

    run_all(environment, 3)

    assert environment.notes == [f"{what} {i}" for i in range(3) for what in ("begin", "ready")]
    assert environment.running_max == 3
    assert environment.running == 0


def test_a_start_that_fails_passes_the_turn_on():
    environment = Noted(fails=frozenset({0}))

    first, *others = run_all(environment, 3)

    assert isinstance(first, ServiceNotReady)
    assert others == [None, None]
    assert environment.notes[:4] == ["begin 0", "fail 0", "begin 1", "ready 1"]


def test_a_start_that_is_cancelled_passes_the_turn_on():
    async def run() -> Noted:
        environment, turn = Noted(), asyncio.Lock()

        async def one(number: int) -> None:
            async with StartsInTurn(environment, turn).start(number, None, None):
                pass

        first = asyncio.create_task(one(0))
        await asyncio.sleep(0)
        first.cancel()
        await one(1)
        with pytest.raises(asyncio.CancelledError):
            await first
        return environment

    assert asyncio.run(run()).notes == ["begin 0", "begin 1", "ready 1"]

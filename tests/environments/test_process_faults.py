"""Each process fault bites, heals, heals after a crash inside, and leaves others alone."""

import asyncio

import psutil
import pytest

from harness.environments import child
from harness.environments.journal import pending
from harness.model.errors import FaultNotApplied
from tests.environments.conftest import tiny

pytestmark = pytest.mark.slow

FAULTS = ("kill", "stop", "pause")


def is_down(service) -> bool:
    if not service.is_running:
        return True
    return child.state_of(service.pid) == psutil.STATUS_STOPPED


@pytest.mark.parametrize("fault", FAULTS)
def test_it_bites_the_one_and_leaves_the_other_alone(surroundings, fault):
    async def run():
        async with surroundings(tiny("hit"), tiny("spared")) as made:
            async with getattr(made.processes(), fault)("hit") as applied:
                assert is_down(made.services["hit"])
                assert (await made.ask("spared"))[0] == 200
                assert applied.effects == 1
                assert len(pending(made.work)) == 1
            assert (await made.ask("hit"))[0] == 200
            assert pending(made.work) == []

    asyncio.run(run())


@pytest.mark.parametrize("fault", FAULTS)
def test_it_heals_after_a_crash_inside(surroundings, fault):
    async def run():
        async with surroundings(tiny("hit")) as made:
            with pytest.raises(ZeroDivisionError):
                async with getattr(made.processes(), fault)("hit"):
                    raise ZeroDivisionError
            assert (await made.ask("hit"))[0] == 200

    asyncio.run(run())


@pytest.mark.parametrize("fault", FAULTS)
def test_it_heals_after_a_cancellation_inside(surroundings, fault):
    async def run():
        async with surroundings(tiny("hit")) as made:
            is_in = asyncio.Event()

            async def hold():
                async with getattr(made.processes(), fault)("hit"):
                    is_in.set()
                    await asyncio.Event().wait()

            holding = asyncio.create_task(hold())
            await is_in.wait()
            holding.cancel()
            await asyncio.gather(holding, return_exceptions=True)
            assert (await made.ask("hit"))[0] == 200

    asyncio.run(run())


def test_a_killed_service_comes_back_as_the_next_incarnation_on_the_same_port(surroundings):
    async def run():
        async with surroundings(tiny("hit")) as made:
            _, before = await made.ask("hit")
            async with made.processes().kill("hit"):
                pass
            _, after = await made.ask("hit")
            assert before != after
            assert [(r.what, r.incarnation) for r in made.records] == [
                ("started", "1"),
                ("ready", "1"),
                ("stopped", "1"),
                ("started", "2"),
                ("ready", "2"),
            ]

    asyncio.run(run())


def test_restart_ends_one_process_and_begins_another(surroundings):
    async def run():
        async with surroundings(tiny("hit")) as made:
            _, before = await made.ask("hit")
            async with made.processes().restart("hit") as applied:
                _, during = await made.ask("hit")
            assert during != before
            assert applied.read_back == f"process {before} became {during}"

    asyncio.run(run())


def test_stopping_a_service_that_ignores_sigterm_ends_in_force_and_says_so(surroundings):
    async def run():
        async with (
            surroundings(tiny("deaf", "deaf")) as made,
            made.processes().stop("deaf") as applied,
        ):
            assert applied.read_back.endswith("is gone, by force")

    asyncio.run(run())


def test_a_crash_that_nobody_ordered_is_told_as_a_crash(surroundings):
    async def run():
        async with surroundings(tiny("hit")) as made:
            child.signal_pid(made.services["hit"].pid, 9)
            for _ in range(100):
                if any(record.what == "crashed" for record in made.records):
                    break
                await asyncio.sleep(0.02)
            assert made.records[-1].what == "crashed"
            assert made.records[-1].detail == "code -9"

    asyncio.run(run())


def test_a_service_that_was_not_started_cannot_be_hit(surroundings):
    async def run():
        async with surroundings(tiny("hit")) as made:
            with pytest.raises(FaultNotApplied, match="'other' was not started"):
                made.processes().kill("other")

    asyncio.run(run())

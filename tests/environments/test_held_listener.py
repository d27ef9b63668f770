"""A listener that the harness holds outlives a restart, and nothing else."""

import asyncio
import sys
import urllib.error
from pathlib import Path

import pytest

from harness.environments.held_listener import HeldListener
from harness.environments.ports import is_free
from harness.model.system import Service

pytestmark = pytest.mark.slow


def adopting(name: str) -> Service:
    program = Path(__file__).with_name("adopting_service.py")
    return Service(
        name=name, command=(sys.executable, str(program)), ready_path="/ok", listener="LISTENER"
    )


def test_clients_that_come_during_a_restart_are_answered_by_the_next_incarnation(surroundings):
    async def run():
        async with surroundings(adopting("hit")) as made:
            service = made.services["hit"]
            before = service.pid
            restart = asyncio.create_task(service.restart())
            for _ in range(2_000):
                if not service.is_running:
                    break
                await asyncio.sleep(0.001)

            answers = await asyncio.gather(*(made.ask("hit") for _ in range(20)))

            assert await restart
            assert set(answers) == {(200, str(service.pid))}
            assert service.pid != before

    asyncio.run(run())


@pytest.mark.parametrize("fault", ["kill", "stop"])
def test_a_service_that_is_gone_refuses_its_clients_and_comes_back(surroundings, fault):
    async def run():
        async with surroundings(adopting("hit")) as made:
            async with getattr(made.processes(), fault)("hit"):
                with pytest.raises(urllib.error.URLError, match="refused"):
                    await made.ask("hit")
            assert (await made.ask("hit"))[0] == 200

    asyncio.run(run())


def test_a_crash_refuses_clients_too(surroundings):
    async def run():
        async with surroundings(adopting("hit")) as made:
            service = made.services["hit"]
            await service.kill()

            assert is_free(service.port)

    asyncio.run(run())


def test_nothing_listens_once_the_service_was_stopped(surroundings):
    async def run():
        async with surroundings(adopting("hit")) as made:
            await made.services["hit"].restart()
            await made.services["hit"].stop()

            assert is_free(made.services["hit"].port)

    asyncio.run(run())


def test_a_port_that_is_taken_is_said_at_once():
    first, second = HeldListener(24_899), HeldListener(24_899)
    try:
        first.descriptor()

        with pytest.raises(OSError, match="in use"):
            second.descriptor()
    finally:
        first.close()
        second.close()

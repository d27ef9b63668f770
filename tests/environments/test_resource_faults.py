"""Each resource fault bites, heals, heals after a crash inside, and leaves others alone."""

import asyncio

import pytest

from harness.environments import postgres
from harness.environments.journal import pending
from harness.model.errors import FaultNotApplied, ServiceNotReady
from tests.environments.conftest import database, tiny

pytestmark = pytest.mark.slow

MIB = 1 << 20


def test_fds_exhausted_refuses_the_next_file_of_the_one_service_only(surroundings):
    async def run():
        async with surroundings(tiny("hit"), tiny("spared")) as made:
            async with made.resources().fds_exhausted("hit", spare=4) as applied:
                status, body = await made.ask("hit", "/files/50")
                assert status == 500
                assert "Too many open files" in body
                assert (await made.ask("spared", "/files/50"))[0] == 200
                assert "soft limit" in applied.read_back
            assert (await made.ask("hit", "/files/50"))[0] == 200
            assert pending(made.work) == []

    asyncio.run(run())


def test_fds_exhausted_follows_a_service_that_closes_some(surroundings):
    async def run():
        async with surroundings(tiny("hit")) as made:
            await made.ask("hit", "/files/50")
            async with made.resources().fds_exhausted("hit", spare=4):
                await made.ask("hit", "/forget")  # the 50 are closed, and must not come back
                for _ in range(100):
                    status, _ = await made.ask("hit", "/files/10")
                    if status == 500:
                        break
                    await made.ask("hit", "/forget")
                    await asyncio.sleep(0.02)
                assert status == 500

    asyncio.run(run())


def test_a_service_that_stays_at_its_limit_is_seen_there(surroundings):
    async def run():
        async with (
            surroundings(tiny("hit")) as made,
            made.resources().fds_exhausted("hit", spare=0) as applied,
        ):
            await asyncio.sleep(0.2)  # three looks at least; the count is what is tested
        assert applied.effects >= 1

    asyncio.run(run())


def test_memory_pressure_refuses_an_allocation_over_the_headroom(surroundings):
    async def run():
        async with surroundings(tiny("hit"), tiny("spared")) as made:
            async with made.resources().memory_pressure("hit", 32 * MIB):
                assert await made.ask("hit", f"/memory/{64 * MIB}") == (500, "MemoryError()")
                assert (await made.ask("spared", f"/memory/{64 * MIB}"))[0] == 200
            assert (await made.ask("hit", f"/memory/{64 * MIB}"))[0] == 200

    asyncio.run(run())


def test_cpu_pressure_slows_the_one_service_and_reports_the_time_it_burnt(surroundings):
    async def run():
        async with surroundings(tiny("hit")) as made:
            async with made.resources().cpu_pressure("hit", workers=3) as applied:
                _, slow = await made.ask("hit", "/spin/150")
            _, fast = await made.ask("hit", "/spin/150")
            # 150 ms of processor time among four competitors take 600 ms; alone 150. Half of the
            # factor leaves room for a machine that is busy with other things.
            assert float(slow) >= 0.3
            assert float(slow) > float(fast)
            assert applied.effects == 1
            assert "processor time" in applied.effect

    asyncio.run(run())


@pytest.mark.parametrize("fault", ["fds_exhausted", "memory_pressure", "cpu_pressure"])
def test_it_heals_after_a_crash_inside(surroundings, fault):
    async def run():
        async with surroundings(tiny("hit")) as made:
            with pytest.raises(ZeroDivisionError):
                async with getattr(made.resources(), fault)("hit", 1):
                    raise ZeroDivisionError
            assert (await made.ask("hit", "/files/50"))[0] == 200
            assert (await made.ask("hit", f"/memory/{8 * MIB}"))[0] == 200

    asyncio.run(run())


def test_connections_exhausted_leaves_exactly_the_spare_ones(surroundings):
    async def run():
        async with surroundings(database("db", max_connections=12)) as made:
            port = made.services["db"].port
            async with made.resources().connections_exhausted("db", spare=2) as applied:
                taken = [await postgres.connect(port, "atlas", within_s=2.0) for _ in range(2)]
                with pytest.raises(ServiceNotReady, match="too many clients"):
                    await postgres.connect(port, "atlas", within_s=2.0)
                assert "sessions held" in applied.read_back
                for session in taken:
                    session.close()
            (await postgres.connect(port, "atlas", within_s=2.0)).close()

    asyncio.run(run())


def test_connections_of_a_service_that_is_no_database_cannot_be_exhausted(surroundings):
    async def run():
        async with surroundings(tiny("hit")) as made:
            with pytest.raises(FaultNotApplied, match="needs a postgresql service"):
                made.resources().connections_exhausted("hit", 0)

    asyncio.run(run())

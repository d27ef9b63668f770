"""The pool: newest first, and nothing that a server may have given up."""

import asyncio

from harness.load.pool import Pool
from tests.load.fake_clock import FakeClock
from tests.load.scripted_server import answer_all, serving


def test_last_used_connection_is_taken_first():
    async def main() -> bool:
        async with serving(answer_all) as served:
            pool = Pool("127.0.0.1", served.port, clock=FakeClock())
            first, second = await pool.open(), await pool.open()
            pool.release(first)
            pool.release(second)
            is_newest_first = pool.take() is second and pool.take() is first
            first.abort()
            second.abort()
            return is_newest_first and pool.take() is None

    assert asyncio.run(main())


def test_connection_idle_for_too_long_is_ended_and_not_taken():
    async def main() -> tuple[bool, bool, int]:
        clock = FakeClock()
        async with serving(answer_all) as served:
            pool = Pool("127.0.0.1", served.port, clock=clock, idle_s=1.5)
            connection = await pool.open()
            pool.release(connection)
            clock.move(1.6)
            return pool.take() is None, connection.is_open, len(pool)

    assert asyncio.run(main()) == (True, False, 0)


def test_connection_that_was_ended_is_not_taken_back():
    async def main() -> int:
        async with serving(answer_all) as served:
            pool = Pool("127.0.0.1", served.port, clock=FakeClock())
            connection = await pool.open()
            connection.abort()
            pool.release(connection)
            return len(pool)

    assert asyncio.run(main()) == 0


def test_closing_the_pool_ends_its_connections():
    async def main() -> bool:
        async with serving(answer_all) as served:
            pool = Pool("127.0.0.1", served.port, clock=FakeClock())
            connection = await pool.open()
            pool.release(connection)
            pool.close()
            return connection.is_open

    assert asyncio.run(main()) is False

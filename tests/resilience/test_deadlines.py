"""One loop timer for all deadlines, and cancellation counted as asyncio counts it."""

import asyncio

import pytest
from hypothesis import given, settings, strategies as st

from resilience.deadlines import DeadlinePassed, DeadlineTimer
from tests.resilience.virtual_time import run


async def bounded(timer, duration_s):
    return await timer.bound(timer.start(), asyncio.sleep(duration_s, "done"))


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 3.0]), st.sampled_from([1, 4, 6, 20]))))
def test_each_piece_of_work_ends_at_its_end_or_at_its_deadline(steps):
    async def main():
        timer, loop, seen = DeadlineTimer(5.0), asyncio.get_running_loop(), []

        async def one(duration_s):
            started_s = loop.time()
            try:
                await bounded(timer, duration_s)
            except DeadlinePassed:
                seen.append((duration_s > 5, loop.time() - started_s == pytest.approx(5.0)))
            else:
                seen.append((duration_s < 5, loop.time() - started_s == pytest.approx(duration_s)))

        async with asyncio.TaskGroup() as group:
            for pause_s, duration_s in steps:
                await asyncio.sleep(pause_s)
                group.create_task(one(duration_s))

        assert seen == [(True, True)] * len(steps)
        assert not timer._entries

    run(main())


def test_a_timer_outlives_its_loop():
    timer = DeadlineTimer(5.0)
    for _ in range(2):
        assert run(bounded(timer, 1.0)) == "done"
        with pytest.raises(DeadlinePassed):
            run(bounded(timer, 9.0))


def test_a_cancel_from_outside_stays_one_even_when_both_come_together():
    async def main():
        timer = DeadlineTimer(5.0)
        task = asyncio.ensure_future(bounded(timer, 9.0))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_at(1005.0, task.cancel)
        await asyncio.wait([task])

        assert task.cancelled()

    run(main())


def test_an_expired_deadline_leaves_no_cancel_behind():
    async def main():
        with pytest.raises(DeadlinePassed):
            await bounded(DeadlineTimer(5.0), 9.0)

        assert asyncio.current_task().cancelling() == 0
        async with asyncio.timeout(10.0):
            await asyncio.sleep(1.0)

    run(main())


def test_the_inner_of_two_deadlines_cuts_first():
    async def main():
        outer, inner = DeadlineTimer(8.0), DeadlineTimer(5.0)

        async def nested():
            with pytest.raises(DeadlinePassed):
                await bounded(inner, 9.0)
            await asyncio.sleep(9.0)

        with pytest.raises(DeadlinePassed):
            await outer.bound(outer.start(), nested())
        assert asyncio.get_running_loop().time() == 1008.0

    run(main())


def test_work_that_ignores_the_cancel_keeps_its_result():
    async def main():
        async def stubborn():
            try:
                await asyncio.sleep(9.0)
            except asyncio.CancelledError:
                return "kept"

        timer = DeadlineTimer(5.0)

        assert await timer.bound(timer.start(), stubborn()) == "kept"
        assert asyncio.current_task().cancelling() == 0

    run(main())


def test_a_deadline_outside_of_a_task_is_refused():
    async def main():
        caught = asyncio.get_running_loop().create_future()

        def callback():
            try:
                DeadlineTimer(5.0).start()
            except RuntimeError as error:
                caught.set_result(error)

        asyncio.get_running_loop().call_soon(callback)
        assert "needs a task" in str(await caught)

    run(main())

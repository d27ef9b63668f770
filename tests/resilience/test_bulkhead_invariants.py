"""The invariants of a bulkhead: two running, three waiting, five seconds of patience."""

import asyncio
import random

import pytest

from resilience import Bulkhead, BulkheadConfig, BulkheadFull, EventKind, QueueTimeout
from tests.resilience.upstream import Upstream, ended, launched, ok
from tests.resilience.virtual_time import LoopClock, run, ticks

CONFIG = BulkheadConfig(max_concurrent=2, max_queue=3, queue_timeout_s=5.0)


def bulkhead_with(config=CONFIG, **options: object):
    return Bulkhead("b", config, clock=LoopClock(), **options)


def by_call(bulkhead, fn):
    async def limited():
        return await bulkhead.call(fn)

    return limited


def by_decorator(bulkhead, fn):
    async def plain():
        return await fn()

    return bulkhead(plain)


def by_slot(bulkhead, fn):
    async def limited():
        async with bulkhead.slot():
            return await fn()

    return limited


@pytest.fixture(params=[by_call, by_decorator, by_slot])
def form(request):
    return request.param


async def assert_intact(bulkhead):
    """Nothing is left inside, and the full capacity is there."""
    stats = bulkhead.stats()
    assert (stats.active, stats.queued) == (0, 0)
    upstream = Upstream()
    tasks = await launched(by_call(bulkhead, upstream), 6)
    assert upstream.ran == CONFIG.max_concurrent
    assert sum(task.done() for task in tasks) == 1
    upstream.succeed(2)
    await ticks()
    upstream.succeed(2)
    await ticks()
    upstream.succeed(1)
    await ended(tasks)


def test_two_run_three_wait_and_the_rest_is_rejected_in_no_time(form):
    """b1."""

    async def main():
        bulkhead, upstream = bulkhead_with(), Upstream()
        tasks = await launched(form(bulkhead, upstream), 10)

        stats = bulkhead.stats()
        assert (upstream.ran, stats.active, stats.queued, stats.rejected) == (2, 2, 3, 5)
        assert {type(t.exception()) for t in tasks if t.done()} == {BulkheadFull}
        assert asyncio.get_running_loop().time() == 1000.0
        for count in (2, 2, 1):
            upstream.succeed(count)
            await ticks()
        await ended(tasks)
        await assert_intact(bulkhead)

    run(main())


def test_a_queue_of_zero_never_waits(form):
    """b10."""

    async def main():
        bulkhead = bulkhead_with(BulkheadConfig(max_concurrent=2, max_queue=0))
        upstream = Upstream()
        tasks = await launched(form(bulkhead, upstream), 3)

        assert isinstance(tasks[2].exception(), BulkheadFull)
        upstream.succeed(2)
        await ended(tasks)

    run(main())


@pytest.mark.parametrize("late_by", range(6))
def test_waiters_run_in_order_and_a_newcomer_does_not_overtake(form, late_by):
    """b2, b7."""

    async def main():
        bulkhead, upstream, order = bulkhead_with(), Upstream(), []

        def named(name):
            async def fn():
                order.append(name)
                return await upstream()

            return form(bulkhead, fn)

        tasks = []
        for name in "abcd":
            tasks += await launched(named(name))
        upstream.succeed()
        await ticks(late_by)
        tasks += await launched(named("newcomer"))
        for _ in range(4):
            upstream.succeed()
            await ticks()
        await ended(tasks)

        assert order == ["a", "b", "c", "d", "newcomer"]

    run(main())


def test_waiters_give_up_at_the_queue_timeout(form):
    """b3."""

    async def main():
        bulkhead, upstream = bulkhead_with(), Upstream()
        tasks = await launched(form(bulkhead, upstream), 5)
        await asyncio.wait(tasks[2:])

        assert asyncio.get_running_loop().time() == pytest.approx(1005.0)
        assert {type(task.exception()) for task in tasks[2:]} == {QueueTimeout}
        assert (bulkhead.stats().timed_out, bulkhead.stats().rejected) == (3, 3)
        upstream.succeed(2)
        await ended(tasks)
        await assert_intact(bulkhead)

    run(main())


def test_cancelled_waiters_leave_at_once(form):
    """b4."""

    async def main():
        bulkhead, upstream = bulkhead_with(), Upstream()
        tasks = await launched(form(bulkhead, upstream), 5)

        for task in tasks[2:]:
            task.cancel()

        assert bulkhead.stats().queued == 0
        newcomers = await launched(form(bulkhead, upstream), 3)
        assert bulkhead.stats().queued == 3
        for _ in range(5):
            upstream.succeed()
            await ticks()
        await ended([*tasks, *newcomers])
        await assert_intact(bulkhead)

    run(main())


def test_a_place_in_the_queue_is_free_in_the_very_tick_of_the_cancel():
    """b4."""

    async def main():
        bulkhead, upstream = bulkhead_with(), Upstream()
        tasks = await launched(by_call(bulkhead, upstream), 5)
        for task in tasks[2:]:
            task.cancel()

        newcomer = bulkhead.enter()
        newcomer.send(None)  # no tick in between: the cancelled tasks have not run yet

        assert bulkhead.stats().queued == 1
        newcomer.close()
        upstream.succeed(2)
        await ended(tasks)
        await assert_intact(bulkhead)

    run(main())


@pytest.mark.parametrize("late_by", range(9))
def test_a_waiter_cancelled_around_its_grant_ends_cancelled(form, late_by):
    """b5."""

    async def main():
        bulkhead, upstream = bulkhead_with(), Upstream()
        running = await launched(form(bulkhead, upstream), 2)
        (waiter,) = await launched(form(bulkhead, upstream))
        upstream.succeed()
        await ticks(late_by)
        waiter.cancel()
        await ticks()

        assert waiter.cancelled()
        assert bulkhead.stats().active == 1
        upstream.succeed()
        await ended(running)
        await assert_intact(bulkhead)

    run(main())


@pytest.mark.parametrize("end", ["fail", "cancel"])
def test_error_and_cancel_free_the_slot(form, end):
    """b6."""

    async def main():
        bulkhead, upstream = bulkhead_with(), Upstream()
        tasks = await launched(form(bulkhead, upstream), 2)
        if end == "fail":
            upstream.fail(2)
        else:
            for task in tasks:
                task.cancel()
        await ended(tasks)

        await assert_intact(bulkhead)

    run(main())


@pytest.mark.parametrize("at_s", [1004.999, 1005.0, 1005.001])
def test_a_release_at_the_instant_of_the_timeout_runs_or_rejects(form, at_s):
    """b9."""

    async def main():
        bulkhead, upstream = bulkhead_with(), Upstream()
        tasks = await launched(form(bulkhead, upstream), 3)
        asyncio.get_running_loop().call_at(at_s, upstream.succeed)
        await asyncio.sleep(6.0)

        is_rejected = tasks[2].done() and isinstance(tasks[2].exception(), QueueTimeout)
        assert is_rejected or upstream.ran == 3
        upstream.succeed(len(upstream.pending))
        await ended(tasks)
        await assert_intact(bulkhead)

    run(main())


@pytest.mark.parametrize("is_first", [True, False])
def test_a_grant_and_a_timeout_in_one_tick_exclude_each_other(is_first):
    """b9, with the release as a callback of the same loop iteration."""

    async def main():
        bulkhead, loop = bulkhead_with(BulkheadConfig(max_concurrent=1)), asyncio.get_running_loop()
        entered_s = await bulkhead.enter()
        if is_first:
            loop.call_at(1005.0, bulkhead.leave, entered_s)
        waiter = asyncio.ensure_future(bulkhead.enter())
        await ticks()
        if not is_first:
            loop.call_at(1005.0, bulkhead.leave, entered_s)
        await asyncio.wait([waiter])
        await ticks()

        is_granted = waiter.exception() is None
        stats = bulkhead.stats()
        assert (stats.active, stats.timed_out) == (int(is_granted), int(not is_granted))

    run(main())


@pytest.mark.parametrize("seed", range(300))
def test_any_mix_of_failures_cancels_and_timeouts_leaves_it_intact(seed):
    """b8."""
    rng = random.Random(seed)

    async def main():
        bulkhead, inside, most = bulkhead_with(), 0, 0

        async def work():
            nonlocal inside, most
            inside += 1
            most = max(most, inside)
            try:
                await asyncio.sleep(rng.choice([0.0, 0.5, 3.0, 7.0]))
                if rng.random() < 0.3:
                    raise ConnectionResetError
            finally:
                inside -= 1

        async def one():
            await asyncio.sleep(rng.choice([0.0, 0.5, 1.0, 5.0]))
            await bulkhead.call(work)

        tasks = [asyncio.ensure_future(one()) for _ in range(12)]
        for task in rng.sample(tasks, 4):
            asyncio.get_running_loop().call_later(rng.choice([0.0, 1.0, 5.0, 6.0]), task.cancel)
        await ended(tasks)

        assert most <= 2
        await assert_intact(bulkhead)

    run(main())


def test_reset_clears_counters_and_nothing_else(form):
    async def main():
        bulkhead, upstream = bulkhead_with(), Upstream()
        tasks = await launched(form(bulkhead, upstream), 6)

        bulkhead.reset()

        stats = bulkhead.stats()
        assert (stats.active, stats.queued, stats.rejected) == (2, 3, 0)
        for count in (2, 2, 1):
            upstream.succeed(count)
            await ticks()
        await ended(tasks)
        await assert_intact(bulkhead)

    run(main())


def test_stats_tell_the_mean_execution_time_without_the_wait():
    async def main():
        bulkhead = bulkhead_with(BulkheadConfig(max_concurrent=1))

        async def work(duration_s):
            await asyncio.sleep(duration_s)

        await asyncio.gather(bulkhead.call(work, 1.0), bulkhead.call(work, 3.0))

        stats = bulkhead.stats()
        assert (stats.completed, stats.avg_execution_s) == (2, pytest.approx(2.0))

    run(main())


def test_events_tell_each_decision_with_counts_and_limits():
    async def main():
        events = []
        config = BulkheadConfig(max_concurrent=1, max_queue=1, queue_timeout_s=5.0)
        bulkhead, upstream = bulkhead_with(config, listener=events.append), Upstream()
        tasks = await launched(by_call(bulkhead, upstream), 3)
        upstream.succeed()
        await ticks()
        tasks += await launched(by_call(bulkhead, upstream))
        await asyncio.sleep(6.0)
        upstream.succeed()
        await ended(tasks)

        told = [(e.kind.value.removeprefix("bulkhead_"), e.fields["active"]) for e in events]
        assert told == [
            ("admitted", 1),
            ("queued", 1),
            ("rejected", 1),
            ("released", 1),  # handed over: the count does not drop in between
            ("admitted", 1),
            ("queued", 1),
            ("timed_out", 1),
            ("released", 0),
        ]
        assert events[0].kind is EventKind.BULKHEAD_ADMITTED
        assert (events[0].fields["max_concurrent"], events[0].fields["max_queue"]) == (1, 1)

    run(main())


def test_a_slot_context_serves_one_block():
    async def main():
        slot = bulkhead_with().slot()
        async with slot:
            pass
        with pytest.raises(RuntimeError, match="used twice"):
            async with slot:
                pass

    run(main())


def test_a_bulkhead_passes_results():
    async def main():
        assert await bulkhead_with().call(ok) == "ok"

    run(main())

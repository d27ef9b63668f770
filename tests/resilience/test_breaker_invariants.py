"""The invariants of a circuit breaker, in each of its forms; ids as in docs/reference."""

import asyncio
import gc
import random
import weakref

import pytest

from resilience import (
    BreakerConfig,
    BreakerState,
    CircuitBreaker,
    CircuitOpen,
    StackConfig,
    create_stack,
)
from tests.resilience.upstream import Upstream, bad, ended, launched, ok, outcome_of
from tests.resilience.virtual_time import LoopClock, run, ticks


def by_call(breaker, fn):
    async def guarded(*args: object):
        return await breaker.call(fn, *args)

    return guarded


def by_decorator(breaker, fn):
    async def plain(*args: object):
        return await fn(*args)

    return breaker(plain)


def by_guard(breaker, fn):
    async def guarded(*args: object):
        async with breaker.guard():
            return await fn(*args)

    return guarded


def by_stack(breaker, fn):
    stack = create_stack(
        StackConfig(name="s"), clock=LoopClock(), rng=random.Random(1), breaker=breaker
    )

    async def guarded(*args: object):
        return await stack.call(fn, *args)

    return guarded


def by_detailed_call(breaker, fn):
    stack = create_stack(
        StackConfig(name="s"), clock=LoopClock(), rng=random.Random(1), breaker=breaker
    )

    async def guarded(*args: object):
        return (await stack.call_detailed(lambda _attempt: fn(*args))).value

    return guarded


@pytest.fixture(params=[by_call, by_decorator, by_guard, by_stack, by_detailed_call])
def form(request):
    return request.param


def breaker_with(clock=None, **settings: object):
    return CircuitBreaker("upstream", BreakerConfig(**settings), clock=clock or LoopClock())


async def trip(breaker, form):
    for _ in range(5):
        await outcome_of(form(breaker, bad))
    assert breaker.state is BreakerState.OPEN


def test_half_open_runs_three_of_fifty_callers_and_rejects_the_rest_at_once(form):
    """p1."""

    async def main():
        breaker, upstream = breaker_with(), Upstream()
        await trip(breaker, form)
        await asyncio.sleep(60.5)

        tasks = await launched(form(breaker, upstream), 50)

        assert upstream.ran == 3
        rejected = [task for task in tasks if task.done()]
        assert len(rejected) == 47
        assert {type(task.exception()) for task in rejected} == {CircuitOpen}
        assert {task.exception().retry_after_s for task in rejected} == {0.0}
        upstream.succeed(3)
        await ended(tasks)

    run(main())


def test_late_successes_free_no_probe_slot(form):
    """p1b."""

    async def main():
        breaker, old, probes = breaker_with(), Upstream(), Upstream()
        early = await launched(form(breaker, old), 3)
        await trip(breaker, form)
        await asyncio.sleep(60.5)
        first = await launched(form(breaker, probes), 3)

        old.succeed(3)
        await ticks()
        more = await launched(form(breaker, probes), 50)

        assert probes.ran == 3
        assert breaker.state is BreakerState.HALF_OPEN
        assert breaker.snapshot().late == 3
        probes.succeed(3)
        await ended([*early, *first, *more])

    run(main())


@pytest.mark.parametrize(("calls", "verdict"), [(3, "succeed"), (1, "fail")])
def test_late_results_do_not_decide_half_open(form, calls, verdict):
    """p2a, p2b."""

    async def main():
        breaker, old, probes = breaker_with(), Upstream(), Upstream()
        early = await launched(form(breaker, old), calls)
        await trip(breaker, form)
        await asyncio.sleep(60.5)
        probe = await launched(form(breaker, probes))

        getattr(old, verdict)(calls)
        await ended(early)

        assert breaker.state is BreakerState.HALF_OPEN
        probes.succeed()
        await ended(probe)

    run(main())


def test_probes_of_an_earlier_era_do_not_decide_the_present_one(form):
    """p2c."""

    async def main():
        breaker, first, second = breaker_with(), Upstream(), Upstream()
        await trip(breaker, form)
        await asyncio.sleep(60.5)
        old = await launched(form(breaker, first), 2)
        await outcome_of(form(breaker, bad))
        await asyncio.sleep(60.5)
        new = await launched(form(breaker, second))

        first.succeed()
        first.fail()
        await ended(old)
        new += await launched(form(breaker, second), 50)

        assert breaker.state is BreakerState.HALF_OPEN
        assert second.ran == 3
        second.succeed(3)
        await ended(new)

    run(main())


async def cancelled(tasks):
    for task in tasks:
        task.cancel()
    return await ended(tasks)


def test_cancelled_calls_open_nothing(form):
    """p3a, first half."""

    async def main():
        breaker, upstream = breaker_with(), Upstream()
        tasks = await launched(form(breaker, upstream), 8)

        results = await cancelled(tasks)

        assert all(isinstance(each, asyncio.CancelledError) for each in results)
        assert breaker.state is BreakerState.CLOSED
        assert breaker.snapshot().abandoned == 8

    run(main())


def test_a_cancelled_call_does_not_end_the_run_of_failures(form):
    """p3a, second half."""

    async def main():
        breaker, upstream = breaker_with(), Upstream()
        for _ in range(4):
            await outcome_of(form(breaker, bad))
        await cancelled(await launched(form(breaker, upstream)))

        await outcome_of(form(breaker, bad))

        assert breaker.state is BreakerState.OPEN

    run(main())


def test_cancelled_probes_return_their_slots(form):
    """p3b."""

    async def main():
        breaker, upstream = breaker_with(), Upstream()
        await trip(breaker, form)
        await asyncio.sleep(60.5)
        for _ in range(4):
            before = upstream.ran
            tasks = await launched(form(breaker, upstream), 5)
            await cancelled(tasks)

            assert upstream.ran - before == 3
            assert breaker.state is BreakerState.HALF_OPEN

    run(main())


@pytest.mark.parametrize(("volume", "opens_at"), [(1, 5), (None, 5), (10, 10)])
def test_opens_at_the_documented_failure(form, volume, opens_at):
    """p4, p4c."""

    async def main():
        breaker = breaker_with(volume_threshold=volume)
        states = []
        for _ in range(opens_at):
            await outcome_of(form(breaker, bad))
            states.append(breaker.state)

        assert states == [BreakerState.CLOSED] * (opens_at - 1) + [BreakerState.OPEN]

    run(main())


def test_alternating_outcomes_never_open(form):
    """p4b."""

    async def main():
        breaker = breaker_with(volume_threshold=10)
        for _ in range(30):
            await outcome_of(form(breaker, ok))
            await outcome_of(form(breaker, bad))

        assert breaker.state is BreakerState.CLOSED

    run(main())


def test_failures_an_hour_apart_do_not_add_up(form):
    """p4d."""

    async def main():
        breaker = breaker_with(volume_threshold=10)
        for _ in range(9):
            await outcome_of(form(breaker, bad))
        await asyncio.sleep(3600)

        await outcome_of(form(breaker, bad))

        assert breaker.state is BreakerState.CLOSED

    run(main())


def test_the_run_of_failures_is_limited_to_the_window(form):
    """p4f."""

    async def main():
        breaker = breaker_with(volume_threshold=1)
        for _ in range(4):
            await outcome_of(form(breaker, bad))
        await asyncio.sleep(61)
        await outcome_of(form(breaker, bad))
        assert breaker.state is BreakerState.CLOSED

        for _ in range(4):
            await outcome_of(form(breaker, bad))

        assert breaker.state is BreakerState.OPEN

    run(main())


@pytest.mark.parametrize(("volume", "failures"), [(5, 4), (10, 3)])
def test_nothing_of_an_earlier_outage_is_left_after_recovery(form, volume, failures):
    """p4e."""

    async def main():
        breaker = breaker_with(monitoring_window_s=600.0, volume_threshold=volume)
        for _ in range(volume):
            await outcome_of(form(breaker, bad))
        await asyncio.sleep(60.5)
        for _ in range(2):
            await outcome_of(form(breaker, ok))
        assert breaker.state is BreakerState.CLOSED

        for _ in range(failures):
            await outcome_of(form(breaker, bad))

        assert breaker.state is BreakerState.CLOSED

    run(main())


def test_open_runs_nothing_until_its_time_is_over(form):
    """p5."""

    async def main():
        breaker, upstream = breaker_with(), Upstream()
        await trip(breaker, form)
        for pause_s in (0.0, 30.0, 29.9):
            await asyncio.sleep(pause_s)
            results = await ended(await launched(form(breaker, upstream), 20))
            assert {type(each) for each in results} == {CircuitOpen}
        assert upstream.ran == 0
        assert results[0].retry_after_s == pytest.approx(0.1)

        await asyncio.sleep(0.3)
        assert await form(breaker, ok)() == "ok"

    run(main())


def test_a_late_success_does_not_close_an_open_circuit(form):
    """p5b."""

    async def main():
        breaker, old = breaker_with(), Upstream()
        early = await launched(form(breaker, old))
        await trip(breaker, form)
        await asyncio.sleep(1)

        old.succeed()
        await ended(early)

        assert breaker.state is BreakerState.OPEN
        assert isinstance(await outcome_of(form(breaker, ok)), CircuitOpen)

    run(main())


def test_a_late_failure_does_not_prolong_the_open_time(form):
    """p5c."""

    async def main():
        breaker, old = breaker_with(), Upstream()
        early = await launched(form(breaker, old))
        await trip(breaker, form)
        await asyncio.sleep(50)
        old.fail()
        await ended(early)
        await asyncio.sleep(11)

        assert await outcome_of(form(breaker, ok)) == "ok"

    run(main())


def test_a_stale_probe_does_not_close_a_reopened_circuit(form):
    """p5d."""

    async def main():
        breaker, probes = breaker_with(), Upstream()
        await trip(breaker, form)
        await asyncio.sleep(60.5)
        stale = await launched(form(breaker, probes))
        await outcome_of(form(breaker, bad))
        await asyncio.sleep(1)

        probes.succeed()
        await ended(stale)

        assert breaker.state is BreakerState.OPEN
        assert isinstance(await outcome_of(form(breaker, ok)), CircuitOpen)

    run(main())


@pytest.mark.parametrize("jumps_before_trip", [False, True])
@pytest.mark.parametrize(("jump_s", "pause_s", "runs"), [(3600.0, 0.0, 0), (-3600.0, 60.5, 1)])
def test_the_wall_clock_decides_nothing(form, jump_s, pause_s, runs, jumps_before_trip):
    """p6."""

    async def main():
        clock = LoopClock()
        breaker = breaker_with(clock)
        if jumps_before_trip:
            clock.wall_offset_s = -jump_s
        await trip(breaker, form)
        clock.wall_offset_s = 0.0 if jumps_before_trip else jump_s
        await asyncio.sleep(pause_s)

        result = await outcome_of(form(breaker, ok))

        assert (result == "ok") == bool(runs)

    run(main())


def test_a_raising_listener_changes_nothing(form):
    """p7."""

    async def main():
        def listener(_event):
            raise ValueError("listener")

        breaker = breaker_with()
        breaker.subscribe(listener)

        assert await form(breaker, ok)() == "ok"
        for _ in range(5):
            assert isinstance(await outcome_of(form(breaker, bad)), ConnectionResetError)
        assert isinstance(await outcome_of(form(breaker, ok)), CircuitOpen)
        await asyncio.sleep(60.5)
        for _ in range(2):
            assert await form(breaker, ok)() == "ok"
        assert breaker.state is BreakerState.CLOSED
        # opened + failed, half-open, closed + recovered
        assert breaker.listeners.errors == 5

    run(main())


async def excluded_failure(*_args: object):
    raise KeyError("no such row")


def test_excluded_errors_open_nothing(form):
    """p8a."""

    async def main():
        breaker = breaker_with(excluded=(LookupError,))
        for _ in range(20):
            assert isinstance(await outcome_of(form(breaker, excluded_failure)), KeyError)

        assert breaker.state is BreakerState.CLOSED
        assert breaker.snapshot().ignored == 20

    run(main())


def test_an_excluded_error_does_not_end_the_run_of_failures(form):
    """p8b."""

    async def main():
        breaker = breaker_with(excluded_if=lambda error: isinstance(error, KeyError))
        for _ in range(4):
            await outcome_of(form(breaker, bad))
        await outcome_of(form(breaker, excluded_failure))

        await outcome_of(form(breaker, bad))

        assert breaker.state is BreakerState.OPEN

    run(main())


def test_probes_with_excluded_errors_return_their_slots(form):
    """p8c."""

    async def main():
        breaker = breaker_with(excluded=(KeyError,))
        await trip(breaker, form)
        await asyncio.sleep(60.5)
        for _ in range(6):
            assert isinstance(await outcome_of(form(breaker, excluded_failure)), KeyError)
            assert breaker.state is BreakerState.HALF_OPEN

    run(main())


class Large:
    """An argument that can be watched."""


def test_rejections_share_nothing_and_keep_no_argument(form):
    """p9; without the help of the garbage collector."""

    async def main():
        breaker, watched, errors, lengths = breaker_with(), [], [], set()
        await trip(breaker, form)
        guarded = form(breaker, ok)
        gc.collect()
        gc.disable()
        try:
            for _ in range(30):
                argument = Large()
                watched.append(weakref.ref(argument))
                try:
                    await guarded(argument)
                except CircuitOpen as error:
                    lengths.add(traceback_length(error))
                    errors.append(id(error.with_traceback(None)))
                    error.__context__ = None
                del argument
            alive = sum(ref() is not None for ref in watched)
        finally:
            gc.enable()

        assert len(lengths) == 1
        assert alive == 0

    run(main())


def traceback_length(error):
    length, traceback = 0, error.__traceback__
    while traceback is not None:
        length, traceback = length + 1, traceback.tb_next
    return length


@pytest.mark.parametrize("tripped", [False, True])
def test_reset_makes_everything_in_flight_late(form, tripped):
    """p10."""

    async def main():
        breaker, upstream = breaker_with(), Upstream()
        calls = 5
        if tripped:
            await trip(breaker, form)
            await asyncio.sleep(60.5)
            calls = 2
        tasks = await launched(form(breaker, upstream), calls)

        breaker.reset()
        upstream.fail(calls)
        await ended(tasks)

        assert breaker.state is BreakerState.CLOSED
        assert await form(breaker, ok)() == "ok"
        assert breaker.snapshot().late == calls

    run(main())


def test_hung_probes_lose_their_slots(form):
    """p11."""

    async def main():
        breaker, hung = breaker_with(), Upstream()
        await trip(breaker, form)
        await asyncio.sleep(60.5)
        tasks = await launched(form(breaker, hung), 3)
        assert isinstance(await outcome_of(form(breaker, ok)), CircuitOpen)
        await asyncio.sleep(60)

        assert await outcome_of(form(breaker, ok)) == "ok"

        assert breaker.snapshot().probes_in_flight == 2  # only the slot that was needed was taken
        hung.succeed(1)
        await ended(tasks[:1])
        assert breaker.snapshot().late == 1
        assert breaker.state is BreakerState.HALF_OPEN
        await cancelled(tasks)

    run(main())


def test_a_listener_may_read_the_state_and_start_calls(form):
    """p12."""

    async def main():
        breaker, seen, started = breaker_with(), [], []

        def listener(event):
            seen.append((event.kind.value, breaker.state.value))
            started.append(asyncio.ensure_future(outcome_of(form(breaker, ok))))

        breaker.subscribe(listener)
        await trip(breaker, form)
        await ended(started)
        await asyncio.sleep(60.5)
        await form(breaker, ok)()
        await ended(started)
        await ticks()

        assert seen[:3] == [
            ("circuit_opened", "open"),
            ("upstream_failed", "open"),
            ("circuit_half_open", "half_open"),
        ]
        assert ("circuit_closed", "closed") in seen

    run(main())


def test_the_state_is_computed_from_the_time(form):
    """p13."""

    async def main():
        breaker, events = breaker_with(), []
        await trip(breaker, form)
        breaker.subscribe(events.append)
        generation = breaker.snapshot().generation
        await asyncio.sleep(59)
        assert breaker.state is BreakerState.OPEN
        await asyncio.sleep(2)

        assert [breaker.state, breaker.state] == [BreakerState.HALF_OPEN] * 2
        assert breaker.snapshot().generation == generation
        assert events == []
        assert await form(breaker, ok)() == "ok"

    run(main())

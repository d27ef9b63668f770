"""The invariants of retrying, alone and inside a stack."""

import asyncio
import itertools
import random

import pytest
from hypothesis import given, settings, strategies as st

from resilience import (
    DeadlineExceeded,
    ErrorClass,
    EventKind,
    Retry,
    RetryConfig,
    RetryExhausted,
    StackConfig,
    TemporaryFailure,
    create_stack,
)
from resilience.backoff import backoff_s
from tests.resilience.virtual_time import LoopClock, run, ticks

R = {"max_attempts": 6, "initial_delay_s": 1.0, "max_delay_s": 10.0, "jitter": 0.0}


def alone(config, clock, **options: object):
    return Retry("r", config, clock=clock, rng=random.Random(1), **options).call


def stacked(config, clock, **options: object):
    stack = create_stack(
        StackConfig(name="r", retry=config), clock=clock, rng=random.Random(1), **options
    )
    return stack.call


def listened(config, clock, **options: object):
    options.setdefault("listener", lambda _event: None)
    return stacked(config, clock, **options)


@pytest.fixture(params=[alone, stacked, listened])
def form(request):
    return request.param


class Script:
    """Runs for the given times and fails each time; notes when its attempts began."""

    def __init__(self, *durations_s: object, error=TemporaryFailure) -> None:
        self.durations_s = durations_s
        self.error = error
        self.starts_s = []

    async def __call__(self) -> object:
        now_s = asyncio.get_running_loop().time
        self.starts_s.append(now_s())
        index = len(self.starts_s) - 1
        durations_s = self.durations_s or (0.0,)
        duration_s = durations_s[min(index, len(durations_s) - 1)]
        await asyncio.sleep(duration_s)
        raise self.error() if callable(self.error) else self.error

    @property
    def gaps_s(self):
        return [later - earlier for earlier, later in itertools.pairwise(self.starts_s)]


async def timed(call, fn):
    """Return what a call raised and how long it took."""
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    try:
        await call(fn)
    except Exception as error:  # noqa: BLE001 - the error is the answer
        return error, loop.time() - started_s
    raise AssertionError("the call was expected to fail")


def settings_with(**changes: object):
    return RetryConfig(**{"total_timeout_s": None, **R, **changes})


@pytest.mark.parametrize("total_s", [None, 1000.0])
@pytest.mark.parametrize("when_s", [0.5, 1.5])
def test_a_cancel_leaves_at_once(form, total_s, when_s):
    """r1 (in the attempt, at 0.5 s), r1b (in the back-off, at 1.5 s)."""

    async def main():
        script = Script(1.0)
        task = asyncio.ensure_future(
            form(settings_with(total_timeout_s=total_s), LoopClock())(script)
        )
        await asyncio.sleep(when_s)
        task.cancel()
        await ticks()

        assert task.cancelled()
        assert len(script.starts_s) == 1

    run(main())


def test_a_cancel_reaches_no_classifier(form):
    """r1c."""

    async def main():
        asked = []

        def says_yes(error):
            asked.append(error)
            return ErrorClass.TEMPORARY_FAILURE

        script = Script(1.0)
        task = asyncio.ensure_future(
            form(settings_with(), LoopClock(), classifier=says_yes)(script)
        )
        await asyncio.sleep(0.5)
        task.cancel()
        await ticks()

        assert task.cancelled()
        assert asked == []

    run(main())


@pytest.mark.parametrize("attempts", [1, 3, 6])
def test_attempts_include_the_first_and_nothing_sleeps_after_the_last(form, attempts):
    """r2, r7."""

    async def main():
        script = Script()
        error, took_s = await timed(form(settings_with(max_attempts=attempts), LoopClock()), script)

        assert len(script.starts_s) == attempts
        assert took_s == pytest.approx(sum([1, 2, 4, 8, 10][: attempts - 1]))
        assert isinstance(error, RetryExhausted)
        assert error.__cause__ is error.last_error
        assert [each.number for each in error.attempts] == list(range(1, attempts + 1))
        delays = [0, 1, 2, 4, 8, 10][:attempts]
        assert [each.delay_s for each in error.attempts] == pytest.approx(delays)
        assert all(each.retryable for each in error.attempts)

    run(main())


@given(st.integers(0, 2**32), st.floats(0, 0.99), st.integers(1, 3000), st.floats(0, 20))
def test_every_delay_stays_between_zero_and_the_cap(seed, jitter, attempts, initial_s):
    """r3."""
    config = RetryConfig(initial_delay_s=initial_s, max_delay_s=10.0, jitter=jitter)

    assert 0.0 <= backoff_s(config, attempts, random.Random(seed)) <= 10.0


@given(st.integers(0, 2**32), st.floats(0, 100), st.floats(0, 0.99))
def test_a_floor_is_only_ever_exceeded(seed, floor_s, jitter):
    """r5."""
    config = RetryConfig(max_delay_s=10.0, jitter=jitter)

    delay_s = backoff_s(config, 1, random.Random(seed), floor_s=floor_s)

    assert floor_s <= delay_s <= max(10.0, floor_s * (1 + jitter))


def test_the_jitter_spreads_evenly_around_the_delay():
    config = RetryConfig(initial_delay_s=1.0, jitter=0.5)
    rng = random.Random(7)

    delays = sorted(backoff_s(config, 1, rng) for _ in range(4000))

    quartiles = [delays[1000], delays[2000], delays[3000]]
    assert quartiles == pytest.approx([0.75, 1.0, 1.25], abs=0.04)  # five standard errors


def test_no_attempt_starts_after_the_deadline(form):
    """r4."""

    async def main():
        script = Script(3.0, 9.0, 0.1)
        error, took_s = await timed(form(settings_with(total_timeout_s=10.0), LoopClock()), script)

        assert script.gaps_s == pytest.approx([4.0])
        assert took_s == pytest.approx(10.0)
        assert isinstance(error, DeadlineExceeded)
        assert error.attempts_started == 2

    run(main())


class Busy(Exception):
    status = 429

    def __init__(self, retry_after) -> None:
        self.retry_after = retry_after


def test_a_wait_beyond_the_deadline_is_not_begun(form):
    """r4b."""

    async def main():
        script = Script(error=lambda: Busy(3600))
        error, took_s = await timed(form(settings_with(total_timeout_s=10.0), LoopClock()), script)

        assert took_s == 0.0
        assert isinstance(error, DeadlineExceeded)
        assert isinstance(error.__cause__, Busy)

    run(main())


def test_a_hanging_attempt_is_cut_at_the_deadline(form):
    """r4c."""

    async def main():
        script = Script(1000.0)
        error, took_s = await timed(form(settings_with(total_timeout_s=10.0), LoopClock()), script)

        assert (len(script.starts_s), took_s) == (1, pytest.approx(10.0))
        assert isinstance(error, DeadlineExceeded)
        assert (error.__cause__, error.attempts_started) == (None, 1)

    run(main())


def test_the_last_error_survives_the_deadline(form):
    """r4d."""

    async def main():
        error, took_s = await timed(
            form(settings_with(total_timeout_s=10.0), LoopClock()), Script(3.0)
        )

        assert took_s == pytest.approx(10.0)
        assert isinstance(error.__cause__, TemporaryFailure)
        assert error.last_error is error.__cause__

    run(main())


@pytest.mark.parametrize("jitter", [0.0, 0.1])
def test_a_retry_after_is_a_floor_that_the_cap_does_not_lower(form, jitter):
    """r5, r5b."""

    async def main():
        script = Script(error=lambda: Busy(30))
        await timed(form(settings_with(max_attempts=2, jitter=jitter), LoopClock()), script)

        assert 30.0 <= script.gaps_s[0] <= 30.0 * (1 + jitter)

    run(main())


@pytest.mark.parametrize("jump_s", [0.0, 3600.0, -3600.0])
def test_a_jump_of_the_wall_clock_changes_nothing(form, jump_s):
    """r6."""

    async def main():
        clock = LoopClock()

        async def jumping():
            script.starts_s.append(clock.monotonic())
            if len(script.starts_s) == 2:
                clock.wall_offset_s = jump_s
            raise TemporaryFailure

        script = Script()
        _, took_s = await timed(form(settings_with(total_timeout_s=20.0), clock), jumping)

        assert (len(script.starts_s), took_s) == (5, pytest.approx(15.0))

    run(main())


def test_concurrent_calls_share_no_back_off(form):
    """r8."""

    async def main():
        call = form(settings_with(max_attempts=4), LoopClock())
        scripts, tasks = [Script(), Script(), Script()], []
        for script in scripts:
            tasks.append(asyncio.ensure_future(call(script)))
            await asyncio.sleep(0.7)
        await asyncio.gather(*tasks, return_exceptions=True)

        assert [script.gaps_s for script in scripts] == [pytest.approx([1, 2, 4])] * 3

    run(main())


def test_a_raising_listener_changes_nothing():
    """r9."""

    async def main():
        def listener(_event):
            raise ValueError("listener")

        script = Script()
        error, took_s = await timed(
            stacked(settings_with(), LoopClock(), listener=listener), script
        )

        assert (len(script.starts_s), took_s) == (6, pytest.approx(25.0))
        assert isinstance(error.__cause__, TemporaryFailure)  # r10

    run(main())


class Answer(Exception):
    def __init__(self, status) -> None:
        self.status = status


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("order 4290 not found"),
        ValueError('no column "timeout"'),
        KeyError("no row with id 1503"),
        Answer(404),
    ],
)
def test_a_permanent_error_surfaces_as_the_same_object(form, error):
    """r11, first group."""

    async def main():
        script = Script(error=error)
        raised, _ = await timed(form(settings_with(), LoopClock()), script)

        assert raised is error
        assert len(script.starts_s) == 1

    run(main())


@pytest.mark.parametrize("error", [TimeoutError, ConnectionResetError, lambda: Answer(503)])
def test_passing_errors_are_retried(form, error):
    """r11, second group."""

    async def main():
        script = Script(error=error)
        await timed(form(settings_with(), LoopClock()), script)

        assert len(script.starts_s) == 6

    run(main())


def test_an_attempt_timeout_is_a_retryable_timeout(form):
    async def main():
        script = Script(100.0)
        config = settings_with(max_attempts=3, attempt_timeout_s=2.0)
        error, took_s = await timed(form(config, LoopClock()), script)

        assert isinstance(error.last_error, TimeoutError)
        assert took_s == pytest.approx(2 + 1 + 2 + 2 + 2)

    run(main())


def test_an_outer_timeout_is_not_taken_for_our_own(form):
    async def main():
        script = Script(100.0)
        config = settings_with(total_timeout_s=50.0, attempt_timeout_s=20.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5.0):
                await form(config, LoopClock())(script)

        assert len(script.starts_s) == 1
        assert asyncio.current_task().cancelling() == 0

    run(main())


def test_an_outer_cancel_at_the_instant_of_the_deadline_wins(form):
    async def main():
        task = asyncio.ensure_future(
            form(settings_with(total_timeout_s=5.0), LoopClock())(Script(100.0))
        )
        await ticks()
        asyncio.get_running_loop().call_at(1005.0, task.cancel)
        await asyncio.wait([task])

        assert task.cancelled()

    run(main())


def test_a_success_after_a_retry_is_returned_and_counted():
    async def main():
        answers = iter([ConnectionResetError(), None])

        async def second_time_lucky():
            error = next(answers)
            if error is not None:
                raise error
            return "ok"

        retry = Retry("r", settings_with(), clock=LoopClock(), rng=random.Random(1))

        assert await retry.call(second_time_lucky) == "ok"
        (tally,) = retry.tallies()
        assert (tally.attempts, tally.successes, tally.exhausted) == (1, 1, 0)
        assert tally.latency_s == pytest.approx(1.0)

    run(main())


def test_attempt_events_tell_number_back_off_class_and_outcome():
    async def main():
        events = []
        await timed(
            listened(settings_with(max_attempts=2), LoopClock(), listener=events.append), Script()
        )

        ends = [each.fields for each in events if each.kind is EventKind.ATTEMPT_ENDED]
        assert [(f["attempt"], f["backoff_s"]) for f in ends] == [(1, 0.0), (2, 1.0)]
        assert {(f["outcome"], f["error_class"]) for f in ends} == {("failed", "temporary_failure")}
        assert events[-1].kind is EventKind.RETRY_EXHAUSTED
        assert events[-1].fields["attempts"] == 2

    run(main())


@pytest.mark.parametrize(
    ("total_s", "outcome", "error_class"),
    [(2.0, "failed", "network_timeout"), (None, "abandoned", None)],
)
def test_a_cut_attempt_failed_and_a_cancelled_one_is_abandoned(total_s, outcome, error_class):
    async def main():
        events = []
        config = settings_with(total_timeout_s=total_s)
        task = asyncio.ensure_future(
            listened(config, LoopClock(), listener=events.append)(Script(100.0))
        )
        await asyncio.sleep(5.0)
        task.cancel()
        await asyncio.wait([task])

        (end,) = [each.fields for each in events if each.kind is EventKind.ATTEMPT_ENDED]
        assert (end["outcome"], end["error_class"]) == (outcome, error_class)

    run(main())


def test_a_broken_classifier_means_permanent_and_is_counted():
    async def main():
        def broken(error):
            raise AttributeError(error)

        retry = Retry(
            "r", settings_with(), clock=LoopClock(), rng=random.Random(1), classifier=broken
        )
        script = Script()
        error, _ = await timed(retry.call, script)

        assert isinstance(error, TemporaryFailure)
        assert (len(script.starts_s), retry.listeners.errors) == (1, 1)

    run(main())


def test_operations_beyond_the_first_hundred_share_a_label():
    async def main():
        stack = create_stack(
            StackConfig(name="r", retry=settings_with(max_attempts=1)),
            clock=LoopClock(),
            rng=random.Random(1),
        )

        async def fails(_attempt):
            raise TemporaryFailure

        for number in range(150):
            with pytest.raises(RetryExhausted):
                await stack.call_detailed(fails, operation=f"op-{number}")

        tallies = stack.retry.tallies()
        assert len(tallies) == 101
        assert (tallies[-1].operation, tallies[-1].exhausted) == ("(other)", 50)

    run(main())


durations = st.lists(st.sampled_from([0.0, 0.5, 3.0, 9.0, 40.0]), min_size=1, max_size=6)


@settings(max_examples=60, deadline=None)
@given(durations, st.sampled_from([0.0, 5.0, 10.0, 20.0]), st.integers(1, 6))
def test_no_attempt_starts_after_its_deadline_and_none_runs_beyond(times_s, total_s, attempts):
    async def main():
        script = Script(*times_s)
        config = settings_with(total_timeout_s=total_s, max_attempts=attempts)
        _, took_s = await timed(alone(config, LoopClock()), script)

        assert took_s <= total_s + 1e-6  # float sums of the virtual clock
        assert len(script.starts_s) <= attempts
        assert all(start - 1000.0 <= total_s for start in script.starts_s)

    run(main())

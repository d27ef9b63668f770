"""The composition: order of the layers, what each of them sees, and both ways through it."""

import asyncio
import random

import pytest
from hypothesis import given, settings, strategies as st

from resilience import (
    BreakerConfig,
    BreakerState,
    BulkheadConfig,
    BulkheadFull,
    CircuitBreaker,
    CircuitOpen,
    DeadlineExceeded,
    EventKind,
    FallbackConfig,
    LimiterConfig,
    QueueTimeout,
    RateLimited,
    RetryConfig,
    StackConfig,
    StaticValue,
    TemporaryFailure,
    create_stack,
)
from tests.resilience.upstream import Upstream, bad, ended, launched, ok, outcome_of
from tests.resilience.virtual_time import LoopClock, run, ticks


def stack_with(listened, **parts: object):
    return create_stack(
        StackConfig(name="s", **parts),
        clock=LoopClock(),
        rng=random.Random(1),
        listener=(lambda _event: None) if listened else None,
    )


@pytest.fixture(params=["unheard", "listened"])
def listened(request):
    """Whether somebody listens: the first attempt takes another way then."""
    return request.param == "listened"


def retry(**changes: object):
    return RetryConfig(**{"total_timeout_s": None, "jitter": 0.0, **changes})


def calling(stack, fn):
    async def guarded():
        return await stack.call(fn)

    return guarded


SMALL = BulkheadConfig(max_concurrent=2, max_queue=3, queue_timeout_s=5.0)


def test_rejections_of_the_own_bulkhead_leave_the_breaker_closed_and_take_no_time(listened):
    """s1, s2."""

    async def main():
        stack = stack_with(listened, breaker=BreakerConfig(), retry=retry(), bulkhead=SMALL)
        upstream = Upstream()
        tasks = await launched(calling(stack, upstream), 25)

        rejected = [task.exception() for task in tasks if task.done()]
        assert [type(error) for error in rejected] == [BulkheadFull] * 20
        assert asyncio.get_running_loop().time() == 1000.0
        assert stack.breaker.state is BreakerState.CLOSED
        for count in (2, 2, 1):
            upstream.succeed(count)
            await ticks()
        await ended(tasks)
        assert stack.breaker.snapshot().successes == 5

    run(main())


def test_queue_timeouts_are_not_retried_and_open_nothing(listened):
    """s3."""

    async def main():
        config = BulkheadConfig(max_concurrent=1, max_queue=12, queue_timeout_s=5.0)
        stack = stack_with(listened, breaker=BreakerConfig(), retry=retry(), bulkhead=config)
        upstream = Upstream()
        tasks = await launched(calling(stack, upstream), 13)
        await asyncio.wait(tasks[1:])

        assert [type(task.exception()) for task in tasks[1:]] == [QueueTimeout] * 12
        assert asyncio.get_running_loop().time() == pytest.approx(1005.0)
        assert stack.breaker.state is BreakerState.CLOSED
        upstream.succeed()
        await ended(tasks)

    run(main())


FALLBACK = FallbackConfig(strategies=(StaticValue(value="instead"),))


@pytest.mark.parametrize("refused_by", ["limiter", "bulkhead", "breaker"])
def test_local_rejections_get_the_fallback_and_never_reach_the_upstream(listened, refused_by):
    """s4, s5, s6."""

    async def main():
        stack = stack_with(
            listened,
            breaker=BreakerConfig(),
            retry=retry(),
            bulkhead=BulkheadConfig(max_concurrent=1, max_queue=0),
            limiter=LimiterConfig(capacity=1.0, burst=None),
            fallback=FALLBACK,
        )
        upstream, tasks = Upstream(), []
        if refused_by == "limiter":
            await stack.call(ok)
        elif refused_by == "breaker":
            stack.breaker.force(BreakerState.OPEN)
        else:
            tasks = await launched(calling(stack, upstream))
            stack.limiter.reset()
        ran = upstream.ran

        assert await stack.call(upstream) == "instead"
        assert upstream.ran == ran
        upstream.succeed(len(tasks))
        await ended(tasks)

    run(main())


def test_a_rate_limited_call_touches_nothing_else(listened):
    async def main():
        stack = stack_with(
            listened,
            breaker=BreakerConfig(success_threshold=1),
            retry=retry(),
            bulkhead=SMALL,
            limiter=LimiterConfig(capacity=1.0, burst=None),
        )
        await stack.call(ok)
        before = stack.breaker.snapshot(), stack.bulkhead.stats()

        assert isinstance(await outcome_of(calling(stack, ok)), RateLimited)
        assert (stack.breaker.snapshot(), stack.bulkhead.stats()) == before

    run(main())


def test_the_circuit_opens_after_five_calls_of_three_attempts(listened):
    """s7."""

    async def main():
        stack = stack_with(listened, breaker=BreakerConfig(), retry=retry(max_attempts=3))
        attempts = 0

        async def failing():
            nonlocal attempts
            attempts += 1
            raise TemporaryFailure

        states = []
        for _ in range(5):
            await outcome_of(calling(stack, failing))
            states.append(stack.breaker.state)
        refused = await outcome_of(calling(stack, failing))

        assert states == [BreakerState.CLOSED] * 4 + [BreakerState.OPEN]
        assert isinstance(refused, CircuitOpen)
        assert attempts == 15

    run(main())


@pytest.mark.parametrize("total_s", [None, 60.0])
@pytest.mark.parametrize("moment", ["attempt", "queue", "back-off"])
def test_a_cancelled_call_runs_no_fallback_and_leaks_nothing(listened, moment, total_s):
    """s8."""

    async def main():
        stack = stack_with(
            listened,
            breaker=BreakerConfig(half_open_max_calls=2),
            retry=retry(initial_delay_s=2.0, total_timeout_s=total_s),
            bulkhead=BulkheadConfig(max_concurrent=1, max_queue=3),
            fallback=FALLBACK,
        )
        stack.breaker.force(BreakerState.HALF_OPEN)
        upstream = Upstream()
        others = await launched(calling(stack, upstream)) if moment == "queue" else []
        (task,) = await launched(calling(stack, upstream))
        if moment == "back-off":
            upstream.fail()
            await ticks()
        task.cancel()
        await asyncio.wait([task])

        assert task.cancelled()
        assert stack.breaker.snapshot().probes_in_flight == len(others)
        assert stack.bulkhead.stats().active == len(others)
        assert stack.bulkhead.stats().queued == 0
        assert stack.fallback.activations == 0
        for other in others:
            other.cancel()
        await ended(others)
        assert stack.breaker.snapshot().probes_in_flight == 0

    run(main())


def test_the_slot_is_free_during_a_back_off(listened):
    """s9."""

    async def main():
        stack = stack_with(
            listened,
            retry=retry(initial_delay_s=2.0),
            bulkhead=BulkheadConfig(max_concurrent=1, max_queue=0),
        )
        upstream = Upstream()
        (task,) = await launched(calling(stack, upstream))
        upstream.fail()
        await ticks()

        assert await stack.call(ok) == "ok"
        await asyncio.sleep(2.0)
        await ticks()
        upstream.succeed()
        assert await task == "ok"

    run(main())


def test_a_slot_that_cannot_be_regained_ends_in_the_fallback_and_records_nothing(listened):
    async def main():
        stack = stack_with(
            listened,
            breaker=BreakerConfig(failure_threshold=1),
            retry=retry(initial_delay_s=2.0),
            bulkhead=BulkheadConfig(max_concurrent=1, max_queue=0),
            fallback=FALLBACK,
        )
        upstream = Upstream()
        (task,) = await launched(calling(stack, upstream))
        upstream.fail()
        await ticks()
        others = await launched(calling(stack, upstream))

        assert await task == "instead"
        assert stack.breaker.state is BreakerState.CLOSED
        upstream.succeed()
        await ended(others)

    run(main())


def test_nested_stacks_do_not_multiply_attempts(listened):
    async def main():
        inner = stack_with(listened, retry=retry(max_attempts=3))
        outer = stack_with(listened, breaker=BreakerConfig(), retry=retry(max_attempts=3))
        attempts = 0

        async def failing():
            nonlocal attempts
            attempts += 1
            raise TemporaryFailure

        await outcome_of(calling(outer, calling(inner, failing)))

        assert attempts == 3
        assert outer.breaker.snapshot().failures == 1

    run(main())


@pytest.mark.parametrize(("queue_s", "failures"), [(20.0, 0), (0.0, 1)])
def test_a_deadline_counts_only_if_an_attempt_had_started(listened, queue_s, failures):
    async def main():
        stack = stack_with(
            listened,
            breaker=BreakerConfig(),
            retry=retry(total_timeout_s=5.0),
            bulkhead=BulkheadConfig(max_concurrent=1, queue_timeout_s=60.0),
        )

        async def holding():
            await asyncio.sleep(queue_s)

        holder = asyncio.ensure_future(stack.bulkhead.call(holding))
        await ticks()
        error = await outcome_of(calling(stack, Upstream()))

        assert isinstance(error, DeadlineExceeded)
        assert error.attempts_started == failures
        assert stack.breaker.snapshot().failures == failures
        await holder

    run(main())


def test_the_callee_learns_attempt_number_and_call_id(listened):
    async def main():
        seen = []

        async def flaky(attempt):
            seen.append((attempt.number, attempt.call_id))
            if attempt.number < 3:
                raise TemporaryFailure
            return "ok"

        stack = stack_with(listened, retry=retry())
        result = await stack.call_detailed(flaky, call_id="id-7")

        assert seen == [(1, "id-7"), (2, "id-7"), (3, "id-7")]
        assert (result.value, result.attempts) == ("ok", 3)

    run(main())


def test_each_client_has_tokens_of_its_own(listened):
    async def main():
        stack = stack_with(listened, limiter=LimiterConfig(capacity=1.0, burst=None))

        await stack.call_detailed(ok, client="a")
        await stack.call_detailed(ok, client="b")
        with pytest.raises(RateLimited):
            await stack.call_detailed(ok, client="a")

    run(main())


def test_stacks_may_share_a_breaker_and_a_listener_hears_each_event_once():
    async def main():
        events = []
        shared = CircuitBreaker("portal", BreakerConfig(), clock=LoopClock())
        stacks = [
            create_stack(
                StackConfig(name=name),
                clock=LoopClock(),
                rng=random.Random(1),
                breaker=shared,
                listener=events.append,
            )
            for name in "ab"
        ]
        for stack in [*stacks, *stacks, stacks[0]]:
            await outcome_of(calling(stack, bad))

        kinds = [event.kind for event in events]
        assert kinds.count(EventKind.CIRCUIT_OPENED) == 1
        assert isinstance(await outcome_of(calling(stacks[1], ok)), CircuitOpen)

    run(main())


def test_metrics_carry_the_documented_names_and_labels(listened):
    async def main():
        stack = stack_with(
            listened,
            breaker=BreakerConfig(),
            retry=retry(max_attempts=2),
            bulkhead=SMALL,
            limiter=LimiterConfig(),
        )
        await stack.call(ok)
        for _ in range(5):
            await outcome_of(calling(stack, bad))

        seen = {(each.name, *each.labels): each.value for each in stack.metrics()}
        name, operation, client = ("name", "s"), ("operation", "s"), ("client", "default")
        expected = {
            ("circuit_breaker_state", name): 1.0,
            ("circuit_breaker_failures_total", name): 5.0,
            ("circuit_breaker_successes_total", name): 1.0,
            ("circuit_breaker_state_changes_total", name): 1.0,
            ("circuit_breaker_rejected_total", name): 0.0,
            ("bulkhead_active", name): 0.0,
            ("bulkhead_queued", name): 0.0,
            ("bulkhead_rejected_total", name): 0.0,
            ("bulkhead_completed_total", name): 11.0,
            ("retry_attempts_total", operation): 5.0,
            ("retry_successes_total", operation): 0.0,
            ("retry_exhausted_total", operation): 5.0,
            ("retry_deadline_exceeded_total", operation): 0.0,
            ("retry_latency_seconds_count", operation): 5.0,
            ("rate_limiter_allowed_total", client): 6.0,
            ("rate_limiter_rejected_total", client): 0.0,
        }
        assert {key: seen[key] for key in expected} == expected
        others = set(seen) - set(expected)
        assert {key[0] for key in others} == {
            "circuit_breaker_last_state_change",
            "circuit_breaker_not_closed_since",
            "rate_limiter_tokens",
            "retry_latency_seconds_sum",
        }

    run(main())


def test_reset_makes_everything_new_but_keeps_what_is_running(listened):
    async def main():
        stack = stack_with(
            listened,
            breaker=BreakerConfig(failure_threshold=1),
            retry=retry(max_attempts=1),
            bulkhead=SMALL,
            limiter=LimiterConfig(capacity=2.0, burst=None),
        )
        upstream = Upstream()
        tasks = await launched(calling(stack, upstream))
        await outcome_of(calling(stack, bad))

        stack.reset()

        assert (await stack.call(ok), stack.health().value) == ("ok", "healthy")
        assert stack.bulkhead.stats().active == 1
        assert stack.retry.tallies() == ()
        upstream.fail()
        await ended(tasks)
        assert stack.breaker.state is BreakerState.CLOSED

    run(main())


def test_unsubscribing_from_a_stack_silences_every_part():
    async def main():
        events = []
        stack = stack_with(listened=False, breaker=BreakerConfig(), bulkhead=SMALL)
        stack.subscribe(events.append)()
        await stack.call(ok)

        assert events == []

    run(main())


steps = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.3, 2.0, 11.0]),  # pause before the call
        st.lists(st.sampled_from(["ok", "flaky", "wrong", "slow"]), min_size=3, max_size=3),
    ),
    max_size=15,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(steps, st.booleans())
def test_both_ways_through_the_stack_behave_alike(calls, has_fallback):
    """The first attempt is made inline, or by the retry when somebody listens or time is short."""
    unheard, heard, limited = (
        trace(calls, has_fallback, listened=listened, total_s=total_s)
        for listened, total_s in [(False, None), (True, None), (False, 1e6)]
    )

    assert unheard == heard == limited


def trace(calls, has_fallback, *, listened, total_s):
    """Return results, times and final state of the same calls."""

    async def main():
        stack = stack_with(
            listened,
            breaker=BreakerConfig(failure_threshold=2, open_duration_s=10.0),
            retry=retry(max_attempts=3, jitter=0.5, total_timeout_s=total_s),
            bulkhead=BulkheadConfig(max_concurrent=1, max_queue=1, queue_timeout_s=0.5),
            limiter=LimiterConfig(capacity=5.0, burst=None),
            fallback=FALLBACK if has_fallback else None,
        )
        loop, seen, tasks = asyncio.get_running_loop(), [], []

        async def one(number, script):
            answers = iter(script)

            async def answer():
                kind = next(answers)
                if kind == "slow":
                    await asyncio.sleep(0.4)
                elif kind == "flaky":
                    raise TemporaryFailure
                elif kind == "wrong":
                    raise LookupError
                return kind

            result = await outcome_of(calling(stack, answer))
            told = result if isinstance(result, str) else type(result).__name__
            seen.append((number, told, round(loop.time(), 6)))

        for number, (pause_s, script) in enumerate(calls):
            await asyncio.sleep(pause_s)
            tasks.append(asyncio.ensure_future(one(number, script)))
        await ended(tasks)
        rounded = [(each.name, each.labels, round(each.value, 6)) for each in stack.metrics()]
        return sorted(seen), rounded, stack.health(), stack.breaker.snapshot().generation

    return run(main())

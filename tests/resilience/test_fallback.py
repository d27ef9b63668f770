"""Fallbacks: which answers, in which order, and what happens when none does."""

import asyncio
import random

import pytest

from resilience import (
    DegradedService,
    EventKind,
    FailOpen,
    FallbackConfig,
    FallbackFailed,
    ServeStale,
    Source,
    StackConfig,
    StaleCache,
    StaticValue,
    create_stack,
)
from tests.resilience.upstream import bad, ok
from tests.resilience.virtual_time import LoopClock, ManualClock, run


def stack_with(*strategies: object, **options: object):
    config = StackConfig(name="s", fallback=FallbackConfig(strategies=strategies))
    return create_stack(config, clock=LoopClock(), rng=random.Random(1), **options)


async def answer_to(error):
    return f"instead of {type(error).__name__}"


async def fails(error):
    raise LookupError(error)


@pytest.mark.parametrize("wall_jump_s", [0.0, 7200.0, -7200.0])
def test_a_stale_answer_has_an_age_and_a_last_day(wall_jump_s):
    """f1."""

    async def main():
        stack = stack_with(ServeStale(max_age_s=3600.0))
        await stack.call_detailed(ok, cache_key="k")
        stack.retry._clock.wall_offset_s = wall_jump_s
        await asyncio.sleep(3600.0)

        result = await stack.call_detailed(bad, cache_key="k")
        assert (result.value, result.source) == ("ok", Source.STALE_CACHE)
        assert result.age_s == pytest.approx(3600.0)
        assert (result.degraded, result.attempts) == (True, 1)
        assert isinstance(result.error, ConnectionResetError)

        await asyncio.sleep(0.001)
        with pytest.raises(ConnectionResetError):
            await stack.call_detailed(bad, cache_key="k")

    run(main())


def test_without_a_usable_fallback_the_error_itself_surfaces():
    """f2."""

    async def main():
        error = ValueError("original")

        async def raises(_attempt):
            raise error

        stack = stack_with(ServeStale(), FailOpen(allow=True))
        with pytest.raises(ValueError, match="original") as caught:
            await stack.call_detailed(raises, cache_key="unknown")

        assert caught.value is error

    run(main())


def test_a_failing_fallback_keeps_the_original_error():
    """f2."""

    async def main():
        with pytest.raises(FallbackFailed) as caught:
            await stack_with(DegradedService(answer=fails)).call(bad)

        assert isinstance(caught.value.__cause__, ConnectionResetError)
        assert isinstance(caught.value.fallback_error, LookupError)

    run(main())


@pytest.mark.parametrize("value", [None, 0, "", []])
def test_every_static_value_is_a_value(value):
    """f3."""

    async def main():
        result = await stack_with(StaticValue(value=value)).call_detailed(bad)

        assert (result.value, result.source, result.age_s) == (value, Source.STATIC, None)

    run(main())


def test_strategies_are_tried_in_the_order_given():
    async def main():
        stack = stack_with(
            ServeStale(), DegradedService(answer=fails), StaticValue(value=1), StaticValue(value=2)
        )

        assert await stack.call(bad) == 1

    run(main())


def test_the_degraded_service_receives_the_error():
    async def main():
        result = await stack_with(DegradedService(answer=answer_to)).call_detailed(bad)

        assert result.value == "instead of ConnectionResetError"
        assert result.source is Source.DEGRADED

    run(main())


def test_fail_open_has_to_be_enabled():
    async def main():
        with pytest.raises(ConnectionResetError):
            await stack_with(FailOpen(allow=True)).call(bad)
        result = await stack_with(FailOpen(allow=True, enabled=True)).call_detailed(bad)
        assert (result.value, result.source) == (True, Source.FAIL_OPEN)

    run(main())


def test_a_primary_answer_is_not_degraded():
    async def main():
        result = await stack_with(StaticValue(value=None)).call_detailed(ok)

        assert (result.value, result.source, result.degraded) == ("ok", Source.PRIMARY, False)
        assert (result.error, result.age_s, result.attempts) == (None, None, 1)

    run(main())


def test_only_successes_with_a_key_are_remembered():
    async def main():
        stack = stack_with(ServeStale(), StaticValue(value="static"))
        await stack.call_detailed(ok)
        await stack.call_detailed(bad, cache_key="k")

        assert len(stack.fallback.cache) == 0

    run(main())


def test_the_activation_is_told_with_source_age_and_class():
    async def main():
        events = []
        stack = stack_with(StaticValue(value=None), listener=events.append)
        await stack.call_detailed(bad, operation="op", call_id="id-1")

        (told,) = [e.fields for e in events if e.kind is EventKind.FALLBACK_ACTIVATED]
        assert told == {
            "operation": "op",
            "call_id": "id-1",
            "source": "static",
            "age_s": None,
            "error_class": "network_error",
        }

    run(main())


def test_the_stale_cache_is_bounded_and_drops_the_oldest():
    cache = StaleCache(clock=ManualClock(), max_age_s=10.0, max_entries=2)
    for key in "abac":
        cache.put(key, key)

    assert [cache.get(key) is not None for key in "abc"] == [True, False, True]


def test_a_clock_that_went_back_makes_no_negative_age():
    clock = ManualClock()
    cache = StaleCache(clock=clock, max_age_s=10.0, max_entries=2)
    cache.put("k", 1)
    clock.now_s -= 5.0

    assert cache.get("k").age_s == 0.0
    cache.clear()
    assert cache.get("k") is None

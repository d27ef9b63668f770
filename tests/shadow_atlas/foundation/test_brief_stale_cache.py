"""The brief stale cache is the sound one with another limit."""

import asyncio
import random

import pytest

from resilience import FallbackConfig, ServeStale, StackConfig, scaled
from shadow_atlas import presets
from shadow_atlas.brief_stale_cache import MAX_AGE_S, create_stack
from tests.shadow_atlas.fake_clock import FakeClock

CONFIG = StackConfig(
    name="brief",
    fallback=FallbackConfig(strategies=(ServeStale(max_age_s=presets.STALE_CACHE_MAX_AGE_S),)),
)


async def up(_attempt):
    return "answer"


async def down(_attempt):
    raise ConnectionRefusedError


@pytest.mark.parametrize("time_scale", [1.0, 0.5])
def test_an_answer_is_served_up_to_its_limit_and_refused_beyond(time_scale):
    async def run():
        clock = FakeClock()
        stack = create_stack(scaled(CONFIG, time_scale), clock=clock, rng=random.Random(1))
        await stack.call_detailed(up, cache_key="key")
        clock.advance(MAX_AGE_S * time_scale)
        within = await stack.call_detailed(down, cache_key="key")
        clock.advance(1.0)

        assert (within.value, within.age_s) == ("answer", MAX_AGE_S * time_scale)
        with pytest.raises(ConnectionRefusedError):
            await stack.call_detailed(down, cache_key="key")

    asyncio.run(run())


def test_nothing_is_added_where_no_fallback_is_configured():
    stack = create_stack(StackConfig(name="bare"), clock=FakeClock(), rng=random.Random(1))

    assert stack.fallback is None
    assert asyncio.run(stack.call_detailed(up)).value == "answer"

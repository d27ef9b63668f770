"""Injected faults do what their names say, reproducibly, and are counted."""

import asyncio
import json
import random

import psutil
import pytest
from hypothesis import given, strategies as st

from resilience import (
    BreakerConfig,
    ChaosFault,
    ChaosFaultInjector,
    EventKind,
    InjectedUpstreamError,
    RetryConfig,
    StackConfig,
    create_stack,
)
from resilience.clock import thread_cpu_s
from resilience.corruption import corrupted
from tests.resilience.upstream import ok, outcome_of
from tests.resilience.virtual_time import LoopClock, run, ticks


def injector_with(fault=None, *, seed=1, enabled=True, **settings: object):
    chaos = ChaosFaultInjector(enabled=enabled, rng=random.Random(seed), clock=LoopClock())
    if fault is not None:
        chaos.configure(fault, **settings)
    return chaos


async def answer():
    return b"answer"


def test_network_failure_raises_a_connection_error_instead_of_the_call():
    async def main():
        chaos, ran = injector_with("network_failure", error="ECONNREFUSED"), []

        async def call():
            ran.append(1)

        with pytest.raises(ConnectionRefusedError):
            await chaos.wrap(call)()
        assert ran == []
        assert chaos.counts()[ChaosFault.NETWORK_FAILURE] == 1

    run(main())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (None, ConnectionResetError),
        ("cable cut", ConnectionResetError),
        (BrokenPipeError, BrokenPipeError),
    ],
)
def test_the_network_error_can_be_chosen(error, kind):
    async def main():
        raised = await outcome_of(injector_with("network_failure", error=error).wrap(answer))

        assert type(raised) is kind

    run(main())


def test_network_delay_delays_by_what_was_configured():
    async def main():
        chaos = injector_with("network_delay", delay_s=2.5)

        assert await chaos.wrap(answer)() == b"answer"
        assert asyncio.get_running_loop().time() == 1002.5

    run(main())


def test_upstream_error_carries_the_status():
    async def main():
        error = await outcome_of(
            injector_with("upstream_error", status=429, error="busy").wrap(answer)
        )

        assert isinstance(error, InjectedUpstreamError)
        assert (error.status, str(error)) == (429, "busy (status 429)")

    run(main())


def test_timeout_hangs_for_the_configured_time_and_raises():
    async def main():
        error = await outcome_of(injector_with("timeout", delay_s=4.0).wrap(answer))

        assert isinstance(error, TimeoutError)
        assert asyncio.get_running_loop().time() == 1004.0

    run(main())


def test_timeout_without_a_time_hangs_until_it_is_cancelled():
    async def main():
        task = asyncio.ensure_future(injector_with("timeout").wrap(answer)())
        await asyncio.sleep(1e6)
        assert not task.done()

        task.cancel()
        await ticks()

        assert task.cancelled()

    run(main())


def test_data_corruption_changes_the_answer():
    async def main():
        damaged = await injector_with("data_corruption").wrap(answer)()

        assert damaged != b"answer"
        assert len(damaged) == len(b"answer")

    run(main())


def test_resource_exhaustion_holds_resident_memory_while_the_call_runs():
    async def main():
        chaos = injector_with("resource_exhaustion", size_bytes=64 << 20)

        async def resident_bytes():
            return psutil.Process().memory_info().rss

        before = await resident_bytes()
        during = await chaos.wrap(resident_bytes)()
        after = await resident_bytes()

        # Half of what is held, in both directions: the interpreter's own memory moves too.
        assert during - before > 32 << 20
        assert during - after > 32 << 20

    run(main())


def test_resource_exhaustion_really_uses_the_processor():
    async def main():
        before_s = thread_cpu_s()

        await injector_with("resource_exhaustion", cpu_s=0.05).wrap(answer)()

        assert thread_cpu_s() - before_s >= 0.05

    run(main())


def test_resource_exhaustion_burns_the_configured_time_in_slices():
    async def main():
        used_s = iter(
            count / 128 for count in range(10_000)
        )  # 1/128 s per reading, a binary fraction
        chaos = ChaosFaultInjector(
            enabled=True, rng=random.Random(1), clock=LoopClock(), cpu_s=lambda: next(used_s)
        )
        chaos.configure("resource_exhaustion", cpu_s=10 / 128)
        turns = 0

        async def other():
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.ensure_future(other())
        await chaos.wrap(answer)()
        task.cancel()

        assert turns == 10  # ten slices, and the loop got its turn after each

    run(main())


def test_the_master_switch_lets_everything_pass():
    async def main():
        chaos = injector_with("network_failure", enabled=False)
        assert await chaos.wrap(answer)() == b"answer"

        chaos.enabled = True
        assert isinstance(await outcome_of(chaos.wrap(answer)), ConnectionResetError)
        chaos.configure("network_failure", enabled=False)
        assert await chaos.wrap(answer)() == b"answer"
        chaos.configure("network_failure")
        chaos.clear()
        assert await chaos.wrap(answer)() == b"answer"

    run(main())


async def draws(chaos, count=200):
    return [await outcome_of(chaos.wrap(answer)) == b"answer" for _ in range(count)]


def test_the_same_seed_strikes_the_same_calls_and_another_one_others():
    async def main():
        first, again, other = [
            await draws(injector_with("network_failure", probability=0.5, seed=seed))
            for seed in (1, 1, 2)
        ]

        assert first == again != other
        assert 70 < sum(first) < 130  # four standard deviations around 100

    run(main())


def test_enabling_another_fault_moves_no_draw():
    async def main():
        alone = injector_with("network_failure", probability=0.5)
        accompanied = injector_with("network_failure", probability=0.5)
        accompanied.configure("network_delay", probability=0.3, delay_s=1.0)

        assert await draws(alone) == await draws(accompanied)

    run(main())


def test_faults_that_act_on_one_call_add_up():
    async def main():
        chaos = injector_with("network_delay", delay_s=1.0)
        chaos.configure("data_corruption")

        damaged = await chaos.wrap(answer)()

        assert damaged != b"answer"
        assert asyncio.get_running_loop().time() == 1001.0

    run(main())


def test_fail_first_strikes_the_first_attempts_of_each_call():
    async def main():
        chaos = injector_with("network_failure", fail_first=2)
        stack = create_stack(
            StackConfig(name="s", breaker=BreakerConfig(), retry=RetryConfig(max_attempts=3)),
            clock=LoopClock(),
            rng=random.Random(1),
        )

        results = [
            await stack.call_detailed(chaos.wrap_attempt(ok), call_id=f"id-{number}")
            for number in range(4)
        ]

        assert [(each.value, each.attempts) for each in results] == [("ok", 3)] * 4
        assert chaos.counts()[ChaosFault.NETWORK_FAILURE] == 8

    run(main())


def test_half_of_all_attempts_failing_is_survived_by_retrying():
    async def main():
        chaos = injector_with("network_failure", probability=0.5, error="ECONNREFUSED")
        stack = create_stack(
            StackConfig(name="s", retry=RetryConfig(max_attempts=3)),
            clock=LoopClock(),
            rng=random.Random(1),
        )
        guarded = chaos.wrap(answer)

        async def one():
            return await stack.call(guarded)

        results = await asyncio.gather(*(one() for _ in range(100)), return_exceptions=True)

        assert sum(result == b"answer" for result in results) > 75  # expected 87.5, sigma 3.3

    run(main())


def test_each_fault_that_acts_is_told():
    async def main():
        events = []
        chaos = injector_with("network_delay", delay_s=0.0)
        unsubscribe = chaos.subscribe(events.append)
        await chaos.run(answer, key="id-1")
        unsubscribe()
        await chaos.run(answer, key="id-2")

        (event,) = events
        assert event.kind is EventKind.CHAOS_INJECTED
        assert event.fields == {"fault": "network_delay", "call_id": "id-1"}

    run(main())


@pytest.mark.parametrize(
    "settings",
    [
        {"probability": 1.5},
        {"fail_first": -1},
        {"delay_s": -1.0},
        {"status": 200},
        {"size_bytes": -1},
        {"cpu_s": 61.0},
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        injector_with("timeout", **settings)


def test_an_unknown_fault_is_refused():
    with pytest.raises(ValueError, match="gremlins"):
        injector_with("gremlins")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(json_values | st.binary(max_size=50), st.integers(0, 2**32), st.integers(1, 5))
def test_a_corrupted_value_is_never_the_same_and_always_the_same_for_a_seed(value, seed, places):
    damaged = corrupted(value, random.Random(seed), places=places)

    assert damaged != value
    assert damaged == corrupted(value, random.Random(seed), places=places)
    if value is not None:
        assert isinstance(damaged, type(value))
    if not isinstance(value, bytes):
        json.dumps(damaged)


def test_what_cannot_be_damaged_is_refused_rather_than_left_whole():
    with pytest.raises(TypeError, match="cannot corrupt object"):
        corrupted(object(), random.Random(1))

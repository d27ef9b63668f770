"""Each planted defect differs from the sound layer in the intended way, and in no other."""

import asyncio
import importlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

import resilience
from resilience import (
    Attempt,
    BreakerConfig,
    BreakerState,
    BulkheadConfig,
    BulkheadFull,
    CircuitOpen,
    DeadlineExceeded,
    FallbackConfig,
    ResilienceStack,
    RetryConfig,
    ServeStale,
    StackConfig,
)
from tests.shadow_atlas.fake_clock import FakeClock

OPEN_S = 60.0
MAX_AGE_S = 3600.0
CALLS = 4  # whose pauses are compared
BREAKER = BreakerConfig(failure_threshold=5, open_duration_s=OPEN_S)
RETRY = RetryConfig(
    max_attempts=3, initial_delay_s=1.0, max_delay_s=10.0, jitter=0.0, total_timeout_s=None
)

INTENDED = {
    "retry_without_cap": {"attempts"},
    "retry_without_backoff": {"first_pauses_s"},
    "breaker_that_never_closes": {"state_after_good_probes"},
    "breaker_that_never_opens": {"calls_until_rejected", "states_while_failing", "open_s"},
    "stale_cache_without_limit": {"source_beyond_the_age"},
    "no_bulkhead": {"error_of_one_too_many"},
    "retry_that_gives_up": {"attempts", "first_pauses_s", "pause_after_retry_after_s", "slow"},
    "retry_without_jitter": {"pauses_as_long_as_another"},
    "retry_after_ignored": {"pause_after_retry_after_s"},
    "attempt_without_timeout": {"slow"},
    "breaker_that_opens_briefly": {"open_s"},
    "permanent_errors_retried": {"attempts_at_what_is_broken"},
}


class PausingClock(FakeClock):
    """Remembers what was slept."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses_s: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        await super().sleep(seconds)


async def _down(_attempt: Attempt) -> str:
    raise ConnectionRefusedError


async def _up(_attempt: Attempt) -> str:
    return "answer"


def _build(create: Any, clock: FakeClock, **parts: Any) -> ResilienceStack:
    config = StackConfig(name="observed", **parts)
    stack: ResilienceStack = create(config, clock=clock, rng=random.Random(3))
    return stack


async def _error_of(call: Awaitable[Any]) -> type[BaseException] | None:
    try:
        await call
    except Exception as error:  # noqa: BLE001 - the type is the observation
        return type(error)
    return None


async def _observe_retry(create: Any) -> dict[str, Any]:
    clock = PausingClock()
    stack = _build(create, clock, retry=RETRY)
    calls: list[int] = []

    async def count(attempt: Attempt) -> str:
        calls.append(attempt.number)
        return await _down(attempt)

    error = await _error_of(stack.call_detailed(count))
    floored = PausingClock()
    await _error_of(_build(create, floored, retry=RETRY).call_detailed(_asks_for_seven_seconds))
    return {
        "attempts": len(calls),
        "first_pauses_s": clock.pauses_s[:2],
        "error_when_exhausted": error,
        "pause_after_retry_after_s": floored.pauses_s[0] if floored.pauses_s else None,
        "pauses_as_long_as_another": _repeated(await _pauses_s(create, _asks_for_seven_seconds)),
        "attempts_at_what_is_broken": await _attempts_at_what_is_broken(create),
        "slow": await _end_of_what_is_slow(create),
    }


async def _pauses_s(create: Any, call: Callable[[Attempt], Awaitable[str]]) -> list[float]:
    """Return the first pause of each of some calls that all fail alike, under jitter."""
    clock = PausingClock()
    stack = _build(create, clock, retry=replace(RETRY, jitter=0.1))
    pauses_s: list[float] = []
    for _ in range(CALLS):
        before = len(clock.pauses_s)
        await _error_of(stack.call_detailed(call))
        pauses_s += clock.pauses_s[before : before + 1]
    return pauses_s


def _repeated(pauses_s: list[float]) -> int:
    return len(pauses_s) - len(set(pauses_s))


async def _attempts_at_what_is_broken(create: Any) -> int:
    calls: list[int] = []

    async def broken(attempt: Attempt) -> str:
        calls.append(attempt.number)
        raise ValueError

    await _error_of(_build(create, FakeClock(), retry=RETRY).call_detailed(broken))
    return len(calls)


async def _end_of_what_is_slow(create: Any) -> tuple[type[BaseException] | None, int]:
    """Return how a call ends whose first attempt never does, and after how many attempts."""
    retry = replace(RETRY, initial_delay_s=0.0, attempt_timeout_s=0.02, total_timeout_s=0.2)
    calls: list[int] = []

    async def hang_once(attempt: Attempt) -> str:
        calls.append(attempt.number)
        if attempt.number == 1:
            await asyncio.Event().wait()
        return "answer"

    stack = _build(create, InstantClock(), retry=retry)
    return await _error_of(stack.call_detailed(hang_once)), len(calls)


class InstantClock(FakeClock):
    """Real timeouts beside back-offs that take no time at all."""

    async def sleep(self, seconds: float) -> None:
        """Return at once, at the same time as before."""


class _Busy(Exception):
    status = 503
    retry_after_s = 7.0


async def _asks_for_seven_seconds(_attempt: Attempt) -> str:
    raise _Busy


async def _observe_breaker(create: Any) -> dict[str, Any]:
    clock = FakeClock()
    stack = _build(create, clock, breaker=BREAKER)
    errors = [await _error_of(stack.call_detailed(_down)) for _ in range(8)]
    states = [stack.breaker.state] if stack.breaker else []
    if stack.breaker is not None:
        stack.breaker.force(BreakerState.CLOSED)
        stack.breaker.force(BreakerState.HALF_OPEN)
    open_s = await _open_s(create)
    good = [await _error_of(stack.call_detailed(_up)) for _ in range(BREAKER.success_threshold)]
    return {
        "calls_until_rejected": errors.index(CircuitOpen) if CircuitOpen in errors else None,
        "states_while_failing": states,
        "open_s": open_s,
        "errors_of_good_probes": good,
        "state_after_good_probes": stack.breaker.state if stack.breaker else None,
    }


async def _open_s(create: Any) -> float | None:
    """Return for how long a circuit refuses calls once it has opened; None if it never does."""
    clock = FakeClock()
    stack = _build(create, clock, breaker=BREAKER)
    for _ in range(BREAKER.failure_threshold):
        await _error_of(stack.call_detailed(_down))
    opened_s = clock.monotonic()
    refused = await _error_of(stack.call_detailed(_up)) is CircuitOpen
    while await _error_of(stack.call_detailed(_up)) is CircuitOpen:
        clock.advance(1.0)
    return clock.monotonic() - opened_s if refused else None


async def _observe_fallback(create: Any) -> dict[str, Any]:
    clock = FakeClock()
    fallback = FallbackConfig(strategies=(ServeStale(max_age_s=MAX_AGE_S),))
    stack = _build(create, clock, fallback=fallback)
    await stack.call_detailed(_up, cache_key="key")
    clock.advance(MAX_AGE_S)
    within = await stack.call_detailed(_down, cache_key="key")
    clock.advance(1.0)
    try:
        beyond: Any = (await stack.call_detailed(_down, cache_key="key")).source
    except ConnectionRefusedError as error:
        beyond = type(error)
    return {
        "source_within_the_age": within.source,
        "age_within_s": within.age_s,
        "source_beyond_the_age": beyond,
        "error_of_an_unknown_key": await _error_of(stack.call_detailed(_down, cache_key="other")),
    }


async def _observe_bulkhead(create: Any) -> dict[str, Any]:
    stack = _build(create, FakeClock(), bulkhead=BulkheadConfig(max_concurrent=1, max_queue=0))
    release = asyncio.Event()

    async def hold(_attempt: Attempt) -> str:
        await release.wait()
        return "held"

    async with asyncio.TaskGroup() as group:
        holder = group.create_task(stack.call_detailed(hold))
        await asyncio.sleep(0)
        second = await _error_of(stack.call_detailed(_up))
        release.set()
    return {"held": holder.result().value, "error_of_one_too_many": second}


OBSERVERS: tuple[Callable[[Any], Awaitable[dict[str, Any]]], ...] = (
    _observe_retry,
    _observe_breaker,
    _observe_fallback,
    _observe_bulkhead,
)


def _observe(create: Any) -> dict[str, Any]:
    async def everything() -> dict[str, Any]:
        observed: dict[str, Any] = {}
        for observer in OBSERVERS:
            observed |= await observer(create)
        return observed

    return asyncio.run(everything())


def _planted(name: str) -> Any:
    return importlib.import_module(f"shadow_atlas.planted.{name}").create_stack


@pytest.mark.parametrize("name", INTENDED)
def test_a_defect_changes_what_it_means_to_change_and_nothing_else(name):
    sound, planted = _observe(resilience.create_stack), _observe(_planted(name))

    different = {key for key in sound if sound[key] != planted[key]}

    assert different == INTENDED[name]


def test_the_sound_layer_has_none_of_the_defects():
    sound = _observe(resilience.create_stack)

    assert sound["attempts"] == RETRY.max_attempts
    assert sound["first_pauses_s"] == [1.0, 2.0]
    assert sound["calls_until_rejected"] == BREAKER.failure_threshold
    assert sound["state_after_good_probes"] is BreakerState.CLOSED
    assert sound["source_beyond_the_age"] is ConnectionRefusedError
    assert sound["error_of_one_too_many"] is BulkheadFull


def test_a_retry_without_cap_ends_all_the_same():
    assert _observe(_planted("retry_without_cap"))["attempts"] == 25


def test_a_retry_without_backoff_still_waits_as_the_upstream_asked():
    observed = _observe(_planted("retry_without_backoff"))

    assert observed["first_pauses_s"] == [0.0, 0.0]
    assert observed["pause_after_retry_after_s"] == 7.0


def test_a_breaker_that_never_closes_stays_half_open_however_good_its_probes():
    observed = _observe(_planted("breaker_that_never_closes"))

    assert observed["state_after_good_probes"] is BreakerState.HALF_OPEN
    assert observed["errors_of_good_probes"] == [None, None]


def test_a_breaker_that_never_opens_lets_every_failing_call_through():
    observed = _observe(_planted("breaker_that_never_opens"))

    assert observed["calls_until_rejected"] is None
    assert observed["states_while_failing"] == [BreakerState.CLOSED]


def test_without_a_bulkhead_one_too_many_runs():
    assert _observe(_planted("no_bulkhead"))["error_of_one_too_many"] is None


def test_a_retry_that_gives_up_ends_with_its_first_attempt():
    observed = _observe(_planted("retry_that_gives_up"))

    assert observed["attempts"] == 1
    assert observed["first_pauses_s"] == []


def test_a_retry_that_hears_no_retry_after_waits_as_it_always_does():
    assert _observe(_planted("retry_after_ignored"))["pause_after_retry_after_s"] == 1.0


@pytest.mark.parametrize(("call", "pause_s"), [(_down, 1.0), (_asks_for_seven_seconds, 7.0)])
def test_a_retry_without_jitter_waits_equally_long_in_every_call(call, pause_s):
    sound, planted = resilience.create_stack, _planted("retry_without_jitter")

    assert _repeated(asyncio.run(_pauses_s(sound, call))) == 0
    assert asyncio.run(_pauses_s(planted, call)) == [pause_s] * CALLS


def test_without_a_timeout_one_attempt_uses_up_the_time_of_all():
    sound, planted = (
        _observe(resilience.create_stack),
        _observe(_planted("attempt_without_timeout")),
    )

    assert sound["slow"] == (None, 2)
    assert planted["slow"] == (DeadlineExceeded, 1)


def test_a_breaker_that_opens_briefly_is_open_for_a_quarter_of_its_time():
    assert _observe(_planted("breaker_that_opens_briefly"))["open_s"] == OPEN_S / 4


def test_what_is_broken_for_good_is_tried_to_the_last_attempt():
    observed = _observe(_planted("permanent_errors_retried"))

    assert observed["attempts_at_what_is_broken"] == RETRY.max_attempts


@pytest.mark.parametrize("name", INTENDED)
def test_a_defect_adds_no_part_that_the_configuration_leaves_out(name):
    stack = _planted(name)(StackConfig(name="bare"), clock=FakeClock(), rng=random.Random(1))

    result = asyncio.run(stack.call_detailed(_up))

    assert result.value == "answer"
    assert [stack.breaker, stack.bulkhead, stack.limiter, stack.fallback] == [None] * 4

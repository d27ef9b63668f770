"""A breaker's surface: snapshot, force, decoration, registry, predicates."""

import asyncio
import pickle

import pytest

from resilience import (
    BreakerConfig,
    BreakerRegistry,
    BreakerState,
    CircuitBreaker,
    CircuitOpen,
    DeadlineExceeded,
    EventKind,
    Outcome,
    RetryExhausted,
)
from tests.resilience.upstream import bad, ok, outcome_of
from tests.resilience.virtual_time import WALL_START_S, LoopClock, ManualClock, run


def failed(breaker, times=1, error=None):
    for _ in range(times):
        breaker.record_error(breaker.admit(), error or ConnectionResetError())


def test_the_snapshot_tells_how_long_and_how_often():
    clock = ManualClock()
    breaker = CircuitBreaker("b", BreakerConfig(), clock=clock)
    breaker.record_success(breaker.admit())
    clock.now_s += 5.0
    failed(breaker, 5)
    clock.now_s += 60.0
    failed(breaker)

    seen = breaker.snapshot()

    assert (seen.state, seen.failures, seen.successes) == (BreakerState.OPEN, 6, 1)
    assert seen.consecutive_failures == 6
    assert seen.state_changes == 3
    assert seen.last_state_change_unix_s == WALL_START_S + 1065.0
    assert seen.not_closed_since_unix_s == WALL_START_S + 1005.0
    assert seen.generation == 4


def test_a_success_ends_the_count_of_consecutive_failures():
    breaker = CircuitBreaker("b", BreakerConfig(), clock=ManualClock())
    failed(breaker, 4)

    breaker.record_success(breaker.admit())

    assert breaker.snapshot().consecutive_failures == 0


def test_closing_clears_the_time_out_of_service():
    clock = ManualClock()
    breaker = CircuitBreaker("b", BreakerConfig(success_threshold=1), clock=clock)
    failed(breaker, 5)
    clock.now_s += 60.0

    breaker.record_success(breaker.admit())

    seen = breaker.snapshot()
    assert (seen.not_closed_since_unix_s, seen.consecutive_failures) == (0.0, 0)


def test_a_forced_open_circuit_times_out_as_usual():
    clock = ManualClock()
    breaker = CircuitBreaker("b", BreakerConfig(), clock=clock)
    breaker.force(BreakerState.OPEN)
    with pytest.raises(CircuitOpen):
        breaker.admit()

    clock.now_s += 60.0

    assert breaker.state is BreakerState.HALF_OPEN


def test_resetting_a_closed_circuit_is_no_transition():
    events = []
    breaker = CircuitBreaker("b", BreakerConfig(), clock=ManualClock(), listener=events.append)

    breaker.reset()

    assert (events, breaker.snapshot().state_changes) == ([], 0)


def test_an_open_duration_of_zero_is_a_value():
    breaker = CircuitBreaker("b", BreakerConfig(open_duration_s=0.0), clock=ManualClock())

    failed(breaker, 5)

    assert breaker.state is BreakerState.HALF_OPEN


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RetryExhausted(KeyError(), ()), Outcome.IGNORED),
        (RetryExhausted(ValueError(), ()), Outcome.FAILED),
        (DeadlineExceeded("d", 1.0, KeyError(), 1), Outcome.IGNORED),
        (DeadlineExceeded("d", 1.0, None, 1), Outcome.FAILED),
        (DeadlineExceeded("d", 1.0, None, 0), Outcome.IGNORED),
        (CircuitOpen("inner", 1.0), Outcome.IGNORED),
    ],
)
def test_wrappers_are_judged_by_the_upstream_error_inside(error, outcome):
    breaker = CircuitBreaker("b", BreakerConfig(excluded=(KeyError,)), clock=ManualClock())

    assert breaker.record_error(breaker.admit(), error) is outcome


def test_a_broken_predicate_excludes_nothing_and_is_counted():
    def broken(error):
        raise AttributeError(error)

    breaker = CircuitBreaker("b", BreakerConfig(excluded_if=broken), clock=ManualClock())

    failed(breaker, 5)

    assert breaker.state is BreakerState.OPEN
    assert breaker.listeners.errors == 5


def sync():
    return "ok"


async def stream():
    yield "ok"


@pytest.mark.parametrize("fn", [sync, stream])
def test_decorating_anything_but_a_coroutine_function_is_refused(fn):
    breaker = CircuitBreaker("b", BreakerConfig(), clock=ManualClock())

    with pytest.raises(TypeError, match="must be a coroutine function"):
        breaker(fn)


def test_a_callable_object_with_an_async_call_can_be_decorated():
    class Client:
        async def __call__(self) -> object:
            return "ok"

    breaker = run(made_on_the_loop())

    assert run(breaker(Client())()) == "ok"


async def made_on_the_loop():
    return CircuitBreaker("b", BreakerConfig(), clock=LoopClock())


def test_a_decorated_function_keeps_its_name_and_stays_a_coroutine_function():
    guarded = CircuitBreaker("b", BreakerConfig(), clock=ManualClock())(ok)

    assert guarded.__name__ == "ok"
    assert asyncio.iscoroutinefunction(guarded)


def test_a_guard_serves_one_block():
    async def main():
        guard = CircuitBreaker("b", BreakerConfig(), clock=LoopClock()).guard()
        async with guard:
            pass
        with pytest.raises(RuntimeError, match="used twice"):
            async with guard:
                pass

    run(main())


def test_unsubscribing_ends_the_telling_and_the_cost_of_it():
    events = []
    breaker = CircuitBreaker("b", BreakerConfig(), clock=ManualClock())
    unsubscribe = breaker.subscribe(events.append)
    unsubscribe()

    failed(breaker, 5)

    assert events == []
    assert not breaker.listeners.active


def test_a_listener_that_subscribes_twice_hears_once():
    events = []
    breaker = CircuitBreaker("b", BreakerConfig(), clock=ManualClock(), listener=events.append)
    breaker.subscribe(events.append)

    failed(breaker, 5)

    kinds = [event.kind for event in events]
    assert kinds == [EventKind.CIRCUIT_OPENED, EventKind.UPSTREAM_FAILED]
    assert events[0].fields == {
        "from_state": "closed",
        "to_state": "open",
        "generation": 2,
        "reason": "failure_threshold",
    }


def test_the_registry_keeps_one_breaker_per_name_and_shares_no_state():
    registry = BreakerRegistry(BreakerConfig(failure_threshold=1), clock=ManualClock())
    failed(registry.get("wi"))

    assert registry.get("wi") is registry.get("wi")
    states = {breaker.name: breaker.state for breaker in (*registry, registry.get("co"))}
    assert states == {"wi": BreakerState.OPEN, "co": BreakerState.CLOSED}
    assert len(registry) == 2


def test_the_registry_refuses_a_second_configuration_for_a_name():
    registry = BreakerRegistry(BreakerConfig(), clock=ManualClock())
    registry.get("wi", BreakerConfig(failure_threshold=3))

    with pytest.raises(ValueError, match="'wi' exists with"):
        registry.get("wi", BreakerConfig(failure_threshold=4))


def test_the_registry_is_bounded():
    registry = BreakerRegistry(BreakerConfig(), clock=ManualClock(), max_breakers=1)
    registry.get("wi")

    with pytest.raises(ValueError, match="max_breakers=1"):
        registry.get("co")


def test_a_rejection_survives_pickling():
    refusal = pickle.loads(pickle.dumps(CircuitOpen("wi", 2.5)))  # noqa: S301 - our own bytes

    assert (type(refusal), refusal.name, refusal.retry_after_s) == (CircuitOpen, "wi", 2.5)


def test_results_and_errors_pass_unchanged():
    async def main():
        breaker = CircuitBreaker("b", BreakerConfig(), clock=LoopClock())
        error = await outcome_of(breaker(bad))
        assert isinstance(error, ConnectionResetError)
        assert await breaker.call(ok) == "ok"

    run(main())

"""The rate limiter: examples, and the token bucket that it has to equal."""

import pytest
from hypothesis import given, strategies as st

from resilience import EventKind, LimiterConfig, RateLimited, RateLimiter
from tests.resilience.virtual_time import ManualClock


def limiter_with(clock, **settings: object):
    return RateLimiter("l", LimiterConfig(**settings), clock=clock)


def admitted(limiter, client="c", calls=100):
    return sum(limiter.try_acquire(client).allowed for _ in range(calls))


def test_a_burst_of_ten_admits_ten_of_a_hundred_at_once():
    """l1."""
    clock = ManualClock()
    limiter = limiter_with(clock)

    assert admitted(limiter) == 10

    clock.now_s += 0.5
    assert admitted(limiter) == 5


def test_without_a_burst_the_whole_capacity_passes_at_once():
    limiter = limiter_with(ManualClock(), capacity=100.0, refill_rate_per_s=10.0, burst=None)

    assert admitted(limiter, calls=150) == 100


def test_the_wall_clock_changes_nothing():
    """l2."""
    clock = ManualClock()
    limiter = limiter_with(clock)
    admitted(limiter)
    for jump_s in (-3600.0, 3600.0):
        clock.wall_offset_s = jump_s

        decision = limiter.try_acquire("c")

        assert (decision.allowed, decision.remaining) == (False, 0.0)


def test_a_monotonic_clock_that_stands_still_refills_nothing():
    limiter = limiter_with(ManualClock())
    admitted(limiter)

    assert admitted(limiter) == 0


def test_a_flood_of_new_names_does_not_wash_out_an_exhausted_client():
    """l3."""
    clock = ManualClock()
    limiter = limiter_with(clock, max_clients=100)
    admitted(limiter, "greedy")

    for number in range(10_000):
        clock.now_s += 1e-6
        limiter.try_acquire(f"invented-{number}")

    assert not limiter.try_acquire("greedy").allowed


def test_names_beyond_the_table_share_one_bucket():
    clock = ManualClock()
    limiter = limiter_with(clock, max_clients=2)
    admitted(limiter, "a", 1)
    admitted(limiter, "b", 1)

    assert sum(admitted(limiter, f"other-{number}", 1) for number in range(50)) == 10


def test_a_full_bucket_makes_room_for_a_new_client():
    clock = ManualClock()
    limiter = limiter_with(clock, max_clients=2)
    admitted(limiter, "a", 1)
    clock.now_s += 0.5
    admitted(limiter, "b", 10)
    clock.now_s += 0.6  # a is full again, b is not

    assert admitted(limiter, "c") == 10
    assert admitted(limiter, "b") == 6


def test_of_two_full_buckets_the_least_recently_used_makes_room():
    clock = ManualClock()
    limiter = limiter_with(clock, max_clients=2)
    for client in ("a", "b", "a"):
        clock.now_s += 10.0
        limiter.try_acquire(client)
    clock.now_s += 10.0

    limiter.try_acquire("c")

    assert [client for client, _ in limiter.tokens()] == ["a", "c"]


@given(st.integers(1, 200), st.floats(0.0, 500.0), st.sampled_from([0.1, 1.0, 3.0, 7.0]))
def test_waiting_as_told_is_enough_and_one_percent_less_is_not(calls, origin_s, cost):
    """l4."""
    clock = ManualClock()
    clock.now_s += origin_s
    limiter = limiter_with(clock, capacity=20.0, refill_rate_per_s=0.3, burst=10.0)
    decision = limiter.try_acquire("c", cost)
    for _ in range(calls):
        if not decision.allowed:
            break
        decision = limiter.try_acquire("c", cost)
    if decision.allowed:
        return

    clock.now_s += decision.retry_after_s * 0.99
    assert not limiter.try_acquire("c", cost).allowed
    clock.now_s += decision.retry_after_s * 0.01
    assert limiter.try_acquire("c", cost).allowed


class TwoBuckets:
    """The textbook: levels, refilled by the time that has passed."""

    def __init__(self, config, now_s) -> None:
        self.config = config
        self.levels = [config.capacity, config.burst]
        self.now_s = now_s

    def take(self, now_s, cost):
        elapsed_s, self.now_s = now_s - self.now_s, now_s
        rates = (self.config.refill_rate_per_s, self.config.burst / self.config.burst_refill_s)
        limits = (self.config.capacity, self.config.burst)
        self.levels = [
            min(limit, level + elapsed_s * rate)
            for level, rate, limit in zip(self.levels, rates, limits, strict=True)
        ]
        if min(self.levels) < cost - 1e-6:
            return False
        self.levels = [level - cost for level in self.levels]
        return True


pauses = st.sampled_from([0.0, 0.125, 0.25, 1.0, 8.0, 64.0])  # binary fractions: sums are exact


@given(st.lists(st.tuples(pauses, st.sampled_from([0.0, 1.0, 2.0, 4.0])), max_size=60))
def test_decisions_and_levels_equal_those_of_a_token_bucket(steps):
    clock = ManualClock()
    config = LimiterConfig(capacity=16.0, refill_rate_per_s=0.5, burst=8.0, burst_refill_s=2.0)
    limiter, oracle = RateLimiter("l", config, clock=clock), TwoBuckets(config, clock.now_s)
    for pause_s, cost in steps:
        clock.now_s += pause_s

        decision = limiter.try_acquire("c", cost)

        assert decision.allowed == oracle.take(clock.now_s, cost)
        assert decision.remaining == pytest.approx(min(oracle.levels))
        assert (decision.retry_after_s == 0.0) == decision.allowed


@pytest.mark.parametrize("cost", [-1.0, 10.5, float("nan")])
def test_a_cost_that_could_never_pass_is_refused(cost):
    with pytest.raises(ValueError, match="cost="):
        limiter_with(ManualClock()).try_acquire("c", cost)


def test_acquire_raises_with_the_time_to_wait():
    limiter = limiter_with(ManualClock(), capacity=1.0, refill_rate_per_s=0.5, burst=None)
    limiter.acquire("c")

    with pytest.raises(RateLimited) as caught:
        limiter.acquire("c")

    assert caught.value.retry_after_s == pytest.approx(2.0)


def test_labels_are_bounded_and_counts_survive_the_loss_of_a_bucket():
    clock = ManualClock()
    limiter = limiter_with(clock, max_clients=1)
    for number in range(150):
        clock.now_s += 100.0
        limiter.try_acquire(f"client-{number}")

    tallies = limiter.tallies()

    assert len(tallies) == 101
    assert sum(each.allowed for each in tallies) == 150
    assert (tallies[-1].client, tallies[-1].allowed) == ("(other)", 50)


def test_tokens_are_told_as_of_now():
    clock = ManualClock()
    limiter = limiter_with(clock, capacity=10.0, refill_rate_per_s=1.0, burst=None)
    admitted(limiter, "c", 10)
    clock.now_s += 4.0

    assert dict(limiter.tokens()) == {"c": pytest.approx(4.0)}


def test_reset_refills_everybody():
    limiter = limiter_with(ManualClock())
    admitted(limiter)

    limiter.reset()

    assert admitted(limiter) == 10


def test_decisions_are_told_to_listeners():
    events = []
    limiter = limiter_with(ManualClock(), capacity=1.0, burst=None)
    limiter.subscribe(events.append)
    admitted(limiter, "c", 2)

    assert [event.kind for event in events] == [
        EventKind.RATE_LIMIT_ALLOWED,
        EventKind.RATE_LIMIT_EXCEEDED,
    ]
    assert events[1].fields == {"client": "c", "tokens": 0.0, "retry_after_s": pytest.approx(1.0)}

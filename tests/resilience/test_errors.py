"""Errors say who refused or gave up, and when to come back."""

import random

import pytest

from resilience import (
    BulkheadFull,
    CircuitOpen,
    DeadlineExceeded,
    FallbackFailed,
    LocalRejection,
    QueueTimeout,
    RateLimited,
    ResilienceError,
    Retry,
    RetryConfig,
    RetryExhausted,
)
from tests.resilience.upstream import bad, ok, outcome_of
from tests.resilience.virtual_time import LoopClock, run


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (LocalRejection("wi"), "'wi' refused the call"),
        (CircuitOpen("wi", 2.5), "circuit 'wi' is open, try again in 2.500 s"),
        (BulkheadFull("wi"), "bulkhead 'wi' is full"),
        (QueueTimeout("wi"), "bulkhead 'wi' had no slot in time"),
        (RateLimited("wi", 0.0), "rate limit of 'wi' exceeded, try again in 0.000 s"),
        (RetryExhausted(KeyError("k"), ()), "all 0 attempts failed, the last with KeyError('k')"),
        (
            DeadlineExceeded("wi", 3.0, None, 1),
            "'wi' did not finish within 3.0 s (1 attempts started, last error None)",
        ),
        (FallbackFailed("wi", KeyError("k")), "the fallback of 'wi' failed with KeyError('k')"),
    ],
)
def test_the_message_names_the_part_and_the_wait(error, text):
    assert str(error) == text
    assert isinstance(error, ResilienceError)


def test_a_rejection_carries_name_and_wait():
    assert (BulkheadFull("wi").name, BulkheadFull("wi").retry_after_s) == ("wi", None)
    assert CircuitOpen("wi", 2.5).retry_after_s == 2.5


def test_a_decorated_function_is_retried_and_keeps_its_name():
    async def main():
        retry = Retry("r", RetryConfig(max_attempts=2), clock=LoopClock(), rng=random.Random(1))

        assert await retry(ok)() == "ok"
        assert retry(ok).__name__ == "ok"
        assert isinstance(await outcome_of(retry(bad)), RetryExhausted)
        with pytest.raises(TypeError, match="coroutine function"):
            retry(len)

    run(main())

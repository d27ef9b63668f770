import dataclasses

import pytest
from hypothesis import given, strategies as st

from harness.checks.rate_limit import RateLimit
from harness.model.records import LimiterDecision
from harness.model.verdict import Verdict
from tests.checks.histories import ask, clocks, gap, ns, operation, phases, refused

CHECK = RateLimit(load="lookups", capacity=10, refill_per_s=2.0, at_least_rejected=5)


def limited(rate=10.0, seconds=20.0, *, capacity=10.0, refill=2.0, lie=0.0, client="c0"):
    """Return what a client sees of a token bucket; `lie` shortens each Retry-After."""
    tokens, last, seen = capacity, 0.0, []
    for i in range(round(rate * seconds)):
        t = 20.0 + i / rate
        tokens, last = min(capacity, tokens + refill * (t - last)), t
        if tokens >= 1.0:
            tokens -= 1.0
            seen.append(operation(t, took=0.001, client=client, call_id=f"{client}-{i}"))
        else:
            wait_s = (1.0 - tokens) / refill - lie
            seen.append(
                refused(
                    t,
                    "limiter",
                    status=429,
                    took=0.001,
                    retry_after_s=wait_s,
                    client=client,
                    call_id=f"{client}-{i}",
                )
            )
    return seen


def decisions(n, decision="rejected"):
    return [
        LimiterDecision(
            t_ns=ns(20 + i / 10),
            service="api",
            incarnation="1",
            seq=i,
            name="per-client",
            client="c0",
            decision=decision,
        )
        for i in range(n)
    ]


def test_a_limiter_that_lets_more_through_than_its_bucket_holds_fails():
    found = ask(CHECK, phases(), limited(refill=4.0))

    assert found.verdict is Verdict.FAILED
    assert "calls of c0 let through within" in found.witnesses[0]


def test_a_sound_limiter_passes():
    found = ask(CHECK, phases(), limited(), limited(client="c1"))

    assert found.verdict is Verdict.PASSED
    assert found.samples == 400


def test_a_load_that_never_exceeds_the_bucket_decides_nothing():
    found = ask(CHECK, phases(), limited(rate=2.0))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert "nothing had to be refused" in found.reason


def test_too_few_operations_decide_nothing():
    found = ask(CHECK, phases(), limited(seconds=1.0))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert (found.samples, found.needed) == (10, 20)


def test_a_limiter_that_refuses_nobody_fails():
    found = ask(CHECK, phases(), limited(capacity=1e9))

    assert found.verdict is Verdict.FAILED


def test_a_limiter_that_refuses_too_seldom_fails():
    check = dataclasses.replace(CHECK, at_least_rejected=500)

    assert ask(check, phases(), limited()).verdict is Verdict.FAILED


def test_a_promise_to_come_back_that_is_broken_fails():
    found = ask(CHECK, phases(), limited(lie=0.4))

    assert found.verdict is Verdict.FAILED
    assert "refused again after the time that Retry-After named" in found.witnesses[0]


def test_a_refusal_that_does_not_say_when_to_return_fails_unless_allowed():
    mute = [dataclasses.replace(op, retry_after_s=None) for op in limited()]
    lenient = dataclasses.replace(CHECK, needs_retry_after=False)

    assert ask(CHECK, phases(), mute).verdict is Verdict.FAILED
    assert ask(lenient, phases(), mute).verdict is Verdict.PASSED


def test_a_limiter_that_tells_of_fewer_refusals_than_clients_saw_fails():
    seen = limited()

    refusals = sum(op.outcome == "REJECTED" for op in seen)
    exact = (seen, clocks("api"), decisions(refusals))
    assert ask(CHECK, phases(), *exact).verdict is Verdict.PASSED
    assert ask(CHECK, phases(), *exact[:2], decisions(refusals - 1)).verdict is Verdict.FAILED
    assert ask(CHECK, phases(), seen, clocks("api"), decisions(3)).verdict is Verdict.FAILED
    assert ask(CHECK, phases(), seen, clocks("api"), decisions(300)).verdict is Verdict.PASSED
    assert ask(CHECK, phases(), seen, gap("api"), decisions(3)).verdict is Verdict.PASSED


def test_refusals_by_a_breaker_were_let_through_by_the_limiter():
    open_breaker = [refused(20 + i / 100, "breaker") for i in range(60)]

    assert ask(CHECK, phases(), open_breaker).verdict is Verdict.FAILED


def test_an_operation_without_an_answer_may_not_have_been_let_through():
    lost = [operation(20 + i / 100, outcome="UNKNOWN", status=None) for i in range(60)]

    found = ask(CHECK, phases(), lost)

    assert not any("let through" in line for line in found.witnesses)


@given(
    gaps=st.lists(st.floats(0.0, 2.0), min_size=20, max_size=120),
    capacity=st.integers(1, 20),
    refill=st.floats(0.1, 20.0),
)
def test_a_token_bucket_is_never_called_wrong(gaps, capacity, refill):
    check = RateLimit(load="lookups", capacity=capacity, refill_per_s=refill, at_least_rejected=0)
    tokens, t, seen = float(capacity), 20.0, []
    for i, gap_s in enumerate(gaps):
        t += gap_s
        tokens = min(float(capacity), tokens + refill * gap_s)
        if tokens >= 1.0:
            tokens -= 1.0
            seen.append(operation(t, call_id=str(i)))
        else:
            wait_s = (1.0 - tokens) / refill
            seen.append(refused(t, "limiter", status=429, retry_after_s=wait_s, call_id=str(i)))

    assert ask(check, phases(), seen).verdict is Verdict.PASSED


@pytest.mark.parametrize("extra", [1, 5])
def test_one_call_more_than_the_bucket_in_one_instant_is_found(extra):
    check = dataclasses.replace(CHECK, at_least_rejected=0)
    burst = [operation(20.0, took=0.001, call_id=str(i)) for i in range(10 + extra)]
    rest = [operation(60.0 + i, call_id=f"r{i}") for i in range(20)]

    assert ask(check, phases(), burst, rest).verdict is Verdict.FAILED
    assert ask(check, phases(), burst[:10], rest).verdict is Verdict.PASSED

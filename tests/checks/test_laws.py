"""What holds of checks by construction, over drawn histories."""

import dataclasses
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings, strategies as st

from harness.checks import judge
from harness.checks.answer_source import AnswerSource
from harness.checks.fallback import Fallback
from harness.checks.latency import Latency
from harness.checks.proportions import decide_at_least, decide_at_most
from harness.checks.recovery_time import RecoveryTime
from harness.checks.success_ratio import SuccessRatio
from harness.model.history import History, read_history, to_json
from harness.model.records import Operation, Outcome
from harness.model.verdict import Verdict
from tests.checks.histories import (
    ask,
    failed,
    fault,
    history,
    operation,
    operations,
    phases,
    refused,
    scenario,
    times,
)

SEVERITY = list(Verdict)

SUCCESS = SuccessRatio(load="lookups", during="fault", at_least_ratio=0.9)
CHECKS = (
    SUCCESS,
    Latency(load="lookups", during="run", at_most_s=0.3),
    RecoveryTime(load="lookups", at_most_s=15.0),
    AnswerSource(load="lookups", during="settle", only=("primary",)),
    Fallback(load="lookups", during="fault", source="stale_cache", at_least_ratio=0.2),
)


def is_no_better(new: Verdict, old: Verdict) -> bool:
    return SEVERITY.index(new) <= SEVERITY.index(old)


@st.composite
def runs(draw: st.DrawFn) -> list[Operation]:
    """Draw the operations of a run: how good each phase was, and which ones were bad."""
    rng = Random(draw(st.integers(0, 2**32)))
    shares = [draw(st.sampled_from([0.0, 0.5, 0.85, 0.93, 0.99, 1.0])) for _ in range(2)]
    rate = draw(st.sampled_from([0.5, 1.0, 4.0]))

    def one(t: float, good: float) -> Operation:
        if rng.random() < good:
            source = rng.choice(["primary", "stale_cache"]) if good < 1.0 else "primary"
            return operation(t, took=rng.choice([0.01, 0.2, 0.5]), source=source, age_s=1.0)
        return rng.choice([failed, lambda t: refused(t, "breaker")])(t)

    seen = operations(0, 20, rate=rate)
    seen += [one(t, shares[0]) for t in times(20, 80, rate)]
    return seen + [one(t, shares[1]) for t in times(80, 110, rate)]


def run_of(seen: Sequence[Operation]) -> History:
    return history(phases(), fault(), seen)


@settings(max_examples=40, deadline=None)
@given(seen=runs(), order=st.permutations(CHECKS))
def test_the_order_of_checks_is_immaterial(seen, order):
    run = run_of(seen)

    one, other = judge(run, scenario(*CHECKS)), judge(run, scenario(*order))

    assert one.verdict is other.verdict
    assert set(one.findings) == set(other.findings)
    assert one.figures == other.figures


@settings(max_examples=60, deadline=None)
@given(seen=runs(), pick=st.randoms(use_true_random=False))
def test_one_success_turned_into_a_failure_never_improves_availability(seen, pick):
    good = [i for i, op in enumerate(seen) if op.outcome == Outcome.OK]
    worse = list(seen)
    victim = pick.choice(good)
    worse[victim] = dataclasses.replace(seen[victim], outcome="FAILED", status=500)

    before = ask(SUCCESS, phases(), fault(), seen).verdict
    after = ask(SUCCESS, phases(), fault(), worse).verdict

    assert is_no_better(after, before)


@settings(max_examples=60, deadline=None)
@given(seen=runs(), tight=st.floats(0.3, 1.0), slack=st.floats(0.0, 0.3))
def test_a_wider_success_bound_never_worsens_the_verdict(seen, tight, slack):
    wide = max(0.0, tight - slack)
    parts = (phases(), fault(), seen)

    strict = ask(dataclasses.replace(SUCCESS, at_least_ratio=tight), *parts).verdict
    lenient = ask(dataclasses.replace(SUCCESS, at_least_ratio=wide), *parts).verdict

    assert is_no_better(strict, lenient)


@settings(max_examples=60, deadline=None)
@given(seen=runs(), tight=st.floats(0.005, 1.0), slack=st.floats(0.0, 1.0))
def test_a_wider_latency_bound_never_worsens_the_verdict(seen, tight, slack):
    parts = (phases(), fault(), seen)

    strict = ask(Latency(load="lookups", during="run", at_most_s=tight), *parts).verdict
    lenient = ask(Latency(load="lookups", during="run", at_most_s=tight + slack), *parts).verdict

    assert is_no_better(strict, lenient)


@given(
    total=st.integers(0, 600),
    share=st.floats(0, 1),
    bound=st.floats(0, 1),
    slack=st.floats(0, 0.5),
)
def test_a_decision_is_monotone_in_the_count_and_in_the_bound(total, share, bound, slack):
    good = round(share * total)

    decision = decide_at_least(good, total, bound=bound).verdict

    if good:
        assert is_no_better(decide_at_least(good - 1, total, bound=bound).verdict, decision)
    wider = decide_at_least(good, total, bound=max(0.0, bound - slack)).verdict
    assert is_no_better(decision, wider)


@given(total=st.integers(0, 400), share=st.floats(0, 1), bound=st.floats(0.01, 0.99))
def test_at_most_mirrors_at_least(total, share, bound):
    hits = round(share * total)

    mirrored = decide_at_least(total - hits, total, bound=1.0 - bound)

    assert decide_at_most(hits, total, bound=bound) == mirrored


@settings(max_examples=25, deadline=None)
@given(seen=runs())
def test_judging_a_saved_history_repeats_its_findings(seen):
    run = run_of(seen)
    saved = [to_json(record) for record in run]

    again = judge(read_history(saved), scenario(*CHECKS))

    assert again == judge(run, scenario(*CHECKS))


def simulated(rng: Random, *, share: float) -> History:
    """Return a run of a service whose every operation is OK with a fixed chance."""
    seen = [operation(t) if rng.random() < share else failed(t) for t in times(0, 110, 4.0)]
    return history(phases(), fault(), seen)


@pytest.mark.slow
def test_three_hundred_sound_services_just_at_the_bound_never_fail():
    rng = Random(20260101)
    checks = (
        SuccessRatio(load="lookups", during="fault", at_least_ratio=0.99),
        SuccessRatio(load="lookups", during="run", at_least_ratio=0.99),
        RecoveryTime(load="lookups", at_most_s=15.0),
    )

    verdicts = []
    for _ in range(300):
        run = simulated(rng, share=0.99)
        verdicts += [check.judge(run, scenario(check)).verdict for check in checks]

    assert Verdict.FAILED not in verdicts
    assert verdicts.count(Verdict.PASSED) > 300  # and they are not all undecided


@pytest.mark.slow
def test_three_hundred_sound_services_at_a_latency_bound_never_fail():
    rng = Random(20260102)
    check = Latency(load="lookups", during="fault", at_most_s=0.3)

    def run() -> History:
        took = [0.4 if rng.random() < 0.05 else 0.1 for _ in range(240)]
        seen = [operation(20 + i / 4, took=t) for i, t in enumerate(took)]
        return history(phases(), seen)

    verdicts = [check.judge(run(), scenario(check)).verdict for _ in range(300)]

    assert Verdict.FAILED not in verdicts


@pytest.mark.slow
def test_services_ten_points_worse_never_pass():
    rng = Random(20260103)
    check = SuccessRatio(load="lookups", during="fault", at_least_ratio=0.99)

    verdicts = [
        check.judge(simulated(rng, share=0.89), scenario(check)).verdict for _ in range(100)
    ]

    assert Verdict.PASSED not in verdicts
    assert verdicts.count(Verdict.FAILED) >= 97  # 240 operations nearly always are sure

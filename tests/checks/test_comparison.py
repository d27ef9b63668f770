"""Two runs side by side: chance is no change, a change is seen, and too little is said to be so."""

from random import Random

import pytest
import scipy.stats
from hypothesis import given, strategies as st

from harness.checks.comparison import (
    ALARM,
    Change,
    compare_latencies,
    compare_ratios,
    fisher_tails,
    quantile_interval,
    recovery_change,
)
from harness.model.records import NS_PER_S, Operation

counts = st.integers(0, 60)


def operations(latencies_s, *, bad=0):
    return [
        Operation(
            t_ns=i * NS_PER_S // 50,
            started_ns=i * NS_PER_S // 50,
            end_ns=i * NS_PER_S // 50 + round(latency_s * NS_PER_S),
            load="asks",
            call_id=f"c{i}",
            client="x",
            method="GET",
            target="/",
            outcome="FAILED" if i < bad else "OK",
            status=500 if i < bad else 200,
        )
        for i, latency_s in enumerate(latencies_s)
    ]


def ratio(before, after):
    old, new = ([0.01] * n for _, n in (before, after))
    lists = (
        operations(old, bad=before[1] - before[0]),
        operations(new, bad=after[1] - after[0]),
    )
    return compare_ratios("ratio", *lists)


def latencies(before, after, slack_s=0.0):
    return compare_latencies("(asks)", operations(before), operations(after), slack_s=slack_s)


def drawn(seed, n=400, factor=1.0):
    rng = Random(seed)
    return [rng.lognormvariate(-4.0, 0.4) * factor for _ in range(n)]


@given(counts, counts, counts, counts)
def test_tails_are_those_of_fishers_exact_test(good_a, bad_a, good_b, bad_b):
    if good_a + bad_a == 0 or good_b + bad_b == 0:
        return
    low, high = fisher_tails((good_a, good_a + bad_a), (good_b, good_b + bad_b))

    table = [[good_b, bad_b], [good_a, bad_a]]
    assert low == pytest.approx(scipy.stats.fisher_exact(table, "less").pvalue, abs=1e-9)
    assert high == pytest.approx(scipy.stats.fisher_exact(table, "greater").pvalue, abs=1e-9)


@given(st.integers(20, 300), st.integers(20, 300), st.data())
def test_one_more_good_operation_after_never_makes_it_worse(old_n, new_n, data):
    old = data.draw(st.integers(0, old_n))
    new = data.draw(st.integers(0, new_n - 1))

    if ratio((old, old_n), (new, new_n)).change is not Change.WORSE:
        assert ratio((old, old_n), (new + 1, new_n)).change is not Change.WORSE


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((100, 100), (60, 100), Change.WORSE),
        ((60, 100), (100, 100), Change.BETTER),
        ((100, 100), (99, 100), Change.SAME),
        ((50, 100), (48, 100), Change.SAME),
        ((15, 30), (13, 30), Change.UNKNOWN),
        ((19, 19), (0, 19), Change.UNKNOWN),
        ((0, 100), (0, 100), Change.SAME),
    ],
)
def test_shares_are_worse_better_the_same_or_too_few(before, after, expected):
    assert ratio(before, after).change is expected


@pytest.mark.slow
def test_equal_services_are_called_different_at_most_as_often_as_promised():
    rng, alarms = Random(5), 0
    for _ in range(2_000):
        old, new = (sum(rng.random() < 0.8 for _ in range(120)) for _ in range(2))
        alarms += ratio((old, 120), (new, 120)).change in (Change.WORSE, Change.BETTER)

    assert alarms <= 2  # 2,000 times two directions of 1e-4 expect 0.4; three come in 0.8 %
    assert ALARM <= 1e-4


def test_slower_service_is_worse_and_faster_one_better():
    slower = latencies(drawn(1, n=1_000), drawn(2, n=1_000, factor=2.0))
    faster = latencies(drawn(1, n=1_000, factor=2.0), drawn(2, n=1_000))

    assert len(slower) == 2  # so many answers bound the 95th percentile too
    assert {row.change for row in slower} == {Change.WORSE}
    assert {row.change for row in faster} == {Change.BETTER}


@pytest.mark.parametrize("seed", range(20))
def test_same_service_is_the_same(seed):
    assert {row.change for row in latencies(drawn(seed), drawn(seed + 1_000))} == {Change.SAME}


def test_what_the_machine_may_add_is_no_regression():
    (row, *_) = latencies(drawn(1), [value + 0.02 for value in drawn(2)], slack_s=0.05)

    assert row.change is Change.SAME


def test_few_answers_are_no_evidence_and_a_tail_needs_more_than_a_median():
    rows = latencies(drawn(1, n=10), drawn(2, n=10))

    assert [row.change for row in rows] == [Change.UNKNOWN]
    assert [row.measure for row in latencies(drawn(1, n=100), drawn(2, n=100))] == [
        "latency p50 (asks)"
    ]


def test_slow_operations_in_one_burst_prove_less_than_as_many_spread_out():
    spread = [0.01 + 0.001 * (i % 10) for i in range(400)]
    burst = sorted(spread)

    wide, narrow = quantile_interval(burst, 0.5), quantile_interval(spread, 0.5)

    assert wide is None or wide[1] - wide[0] > narrow[1] - narrow[0]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((1.0, "recovered"), (1.4, "recovered"), Change.SAME),
        ((1.0, "recovered"), (2.0, "recovered"), Change.WORSE),
        ((2.0, "recovered"), (1.0, "recovered"), Change.BETTER),
        ((1.0, "recovered"), (None, "not recovered: > 9 s"), Change.WORSE),
        ((None, "not recovered: > 9 s"), (1.0, "recovered"), Change.BETTER),
        ((None, "not recovered: > 9 s"), (None, "not recovered: > 9 s"), Change.SAME),
        ((1.0, "recovered"), (None, "no operation followed the heal"), Change.UNKNOWN),
    ],
)
def test_recovery_within_what_chance_may_add_is_the_same(before, after, expected):
    assert recovery_change(before, after, 0.5)[0] is expected

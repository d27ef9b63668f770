"""Our tails and limits against an independent implementation."""

import math

import pytest
from hypothesis import example, given, strategies as st
from scipy import stats

from harness.checks.statistics import (
    clopper_pearson,
    log_pmf,
    lower_bound,
    reject_high,
    reject_low,
    tail_high,
    tail_low,
)

trials = st.integers(1, 3000)
chances = st.floats(0.001, 0.999)


@given(n=trials, share=st.floats(0, 1), p=chances)
def test_the_probability_of_a_count_agrees_with_scipy(n, share, p):
    k = round(share * n)

    got = log_pmf(k, n, p)

    assert got == pytest.approx(float(stats.binom.logpmf(k, n, p)), rel=1e-9, abs=1e-8)


@given(n=trials, share=st.floats(0, 1), p=chances)
def test_both_tails_agree_with_scipy(n, share, p):
    k = round(share * n)

    low, high = tail_low(k, n, p), tail_high(k, n, p)

    assert low == pytest.approx(float(stats.binom.cdf(k, n, p)), rel=1e-8, abs=1e-14)
    assert high == pytest.approx(float(stats.binom.sf(k - 1, n, p)), rel=1e-8, abs=1e-14)


@given(n=st.integers(1, 500), p=chances)
def test_tails_are_sure_at_the_ends(n, p):
    assert tail_low(n, n, p) == 1.0
    assert tail_low(-1, n, p) == 0.0
    assert tail_high(0, n, p) == 1.0
    assert tail_high(n + 1, n, p) == 0.0


@pytest.mark.parametrize(("p", "low", "high"), [(0.0, 1.0, 0.0), (1.0, 0.0, 1.0)])
def test_a_certain_chance_leaves_nothing_to_chance(p, low, high):
    assert tail_low(3, 10, p) == low
    assert tail_high(4, 10, p) == high


@given(n=st.integers(1, 2000), p=chances, alarm=st.sampled_from([1e-6, 1e-3, 0.05]))
def test_the_rejection_limit_is_the_largest_count_that_chance_rarely_shows(n, p, alarm):
    limit = reject_low(n, p, alarm)

    assert float(stats.binom.cdf(limit, n, p)) <= alarm * (1 + 1e-9)
    assert float(stats.binom.cdf(limit + 1, n, p)) > alarm * (1 - 1e-9)


@given(n=st.integers(1, 2000), p=chances)
def test_the_upper_rejection_limit_mirrors_the_lower(n, p):
    limit = reject_high(n, p, 1e-3)

    assert float(stats.binom.sf(limit - 1, n, p)) <= 1e-3 * (1 + 1e-9)
    assert float(stats.binom.sf(limit - 2, n, p)) > 1e-3 * (1 - 1e-9)


@given(n=st.integers(1, 800), share=st.floats(0, 1), alarm=st.sampled_from([1e-6, 0.05]))
@example(n=30, share=0.0, alarm=0.05)
@example(n=30, share=1.0, alarm=0.05)
def test_the_interval_agrees_with_scipy(n, share, alarm):
    k = round(share * n)

    low, high = clopper_pearson(k, n, alarm)

    exact = stats.binomtest(k, n).proportion_ci(confidence_level=1 - alarm, method="exact")
    assert low == pytest.approx(float(exact.low), abs=1e-9)
    assert high == pytest.approx(float(exact.high), abs=1e-9)


def test_the_lower_bound_of_n_successes_is_the_root_of_the_alarm():
    assert lower_bound(60, 60, 1e-3) == pytest.approx(math.pow(1e-3, 1 / 60))


@pytest.mark.parametrize(
    ("n", "p", "limit"),
    [
        (580, 0.875, 466),  # three attempts of which each fails half of the time
        (100, 0.99, 100 - 9),  # the figures of a recovery window at 20, 50 and 200 per second
        (250, 0.99, 250 - 14),
        (1000, 0.99, 1000 - 29),
        (250, 0.999, 250 - 6),
    ],
)
def test_published_limits_at_one_in_a_million_are_reproduced(n, p, limit):
    assert reject_low(n, p, 1e-6) == limit

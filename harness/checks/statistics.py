"""Exact binomial tails, rejection limits and confidence intervals.

Our own because the common library takes a second to import, and every judgement would pay it. It
is the oracle in our tests instead.

Source: Clopper and Pearson, Biometrika 26 (1934) 404, for the interval; the tails are summed away
from the mean, so that every term is smaller than the one before.
"""

import math

_TERM_MIN = 1e-17  # relative to the sum: below the last bit of a double
_BISECTIONS = 80  # halves [0, 1] to below the last bit of a double


def log_pmf(k: int, n: int, p: float) -> float:
    """Return ln P(X = k) for X ~ Bin(n, p); p in (0, 1)."""
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return ways + k * math.log(p) + (n - k) * math.log1p(-p)


def tail_low(k: int, n: int, p: float) -> float:
    """Return P(X <= k) for X ~ Bin(n, p).

    >>> round(tail_low(1, 2, 0.5), 12)
    0.75
    """
    if k < 0:
        return 0.0
    if k >= n or p <= 0.0:
        return 1.0
    if p >= 1.0:
        return 0.0
    if k < n * p:
        return _sum_down(k, n, p)
    return 1.0 - _sum_up(k + 1, n, p)


def tail_high(k: int, n: int, p: float) -> float:
    """Return P(X >= k) for X ~ Bin(n, p).

    >>> round(tail_high(2, 2, 0.5), 12)
    0.25
    """
    if k <= 0:
        return 1.0
    if k > n or p <= 0.0:
        return 0.0
    if p >= 1.0:
        return 1.0
    if k > n * p:
        return _sum_up(k, n, p)
    return 1.0 - _sum_down(k - 1, n, p)


def _sum_down(k: int, n: int, p: float) -> float:
    odds = (1.0 - p) / p
    term = total = 1.0
    for i in range(k, 0, -1):
        term *= i / (n - i + 1) * odds
        total += term
        if term < _TERM_MIN * total:
            break
    return min(1.0, math.exp(log_pmf(k, n, p)) * total)


def _sum_up(k: int, n: int, p: float) -> float:
    odds = p / (1.0 - p)
    term = total = 1.0
    for i in range(k, n):
        term *= (n - i) / (i + 1) * odds
        total += term
        if term < _TERM_MIN * total:
            break
    return min(1.0, math.exp(log_pmf(k, n, p)) * total)


def reject_low(n: int, p: float, alarm: float) -> int:
    """Return the largest c with P(X <= c) <= `alarm`; -1 if there is none.

    >>> reject_low(580, 0.875, 1e-6)  # 3 attempts that fail half of the time
    466
    """
    low, high = -1, n  # tail_low(low) is small enough, tail_low(high) is 1
    while high - low > 1:
        middle = (low + high) // 2
        if tail_low(middle, n, p) <= alarm:
            low = middle
        else:
            high = middle
    return low


def reject_high(n: int, p: float, alarm: float) -> int:
    """Return the smallest c with P(X >= c) <= `alarm`; n + 1 if there is none."""
    return n - reject_low(n, 1.0 - p, alarm)


def clopper_pearson(k: int, n: int, alarm: float) -> tuple[float, float]:
    """Return the exact two-sided interval for p after k of n; its error is at most `alarm`."""
    return lower_bound(k, n, alarm / 2), 1.0 - lower_bound(n - k, n, alarm / 2)


def lower_bound(k: int, n: int, alarm: float) -> float:
    """Return the one-sided lower limit: the p for which P(X >= k) is `alarm`; 0 if k is 0."""
    if k == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if tail_high(k, n, middle) <= alarm:
            low = middle
        else:
            high = middle
    return low

"""Where a sequence of good and bad operations turns for the better.

The most likely change point of a Bernoulli sequence (Hinkley, Biometrika 57 (1970) 1 and 477).
Unlike "the first success" or "five in a row" it is not fooled by operations that succeed during
the fault or fail after it; its resolution is the distance of two operations.
"""

import math
from collections.abc import Sequence

_GAIN_MIN = math.log(1000.0)  # one bad operation among hundreds is chance and no outage


def change_point(goods: Sequence[bool]) -> int | None:
    """Return the index of the first operation after the change for the better.

    None if the sequence is as likely without a change: nothing turned, or only by chance.

    >>> change_point([False] * 10 + [True] * 20)
    10
    >>> change_point([True] * 30) is None
    True
    """
    total, n = sum(goods), len(goods)
    whole = _log_likelihood(total, n)
    best, at, before = -math.inf, None, 0
    for i in range(1, n):
        before += goods[i - 1]
        after = total - before
        if after * i <= before * (n - i):  # not better than before
            continue
        likelihood = _log_likelihood(before, i) + _log_likelihood(after, n - i)
        if likelihood > best:
            best, at = likelihood, i
    return at if best - whole >= _GAIN_MIN else None


def _log_likelihood(good: int, n: int) -> float:
    if good in {0, n}:
        return 0.0
    share = good / n
    return good * math.log(share) + (n - good) * math.log1p(-share)

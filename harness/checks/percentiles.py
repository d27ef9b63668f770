"""Percentiles of what was measured, without interpolation."""

import math
from collections.abc import Iterable

from harness.model.records import Operation


def nearest_rank(values: Iterable[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of all do not exceed; None of none.

    >>> nearest_rank([3.0, 1.0, 2.0, 4.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    if not ordered:
        return None
    rank = math.ceil(share * len(ordered) - 1e-9)  # 0.95 * 20 is not 19 in binary
    return ordered[max(rank, 1) - 1]


def answer_latency_s(operation: Operation) -> float:
    """Return how long the answer took; infinite if none came, however soon that was known."""
    return math.inf if operation.status is None else operation.latency_s

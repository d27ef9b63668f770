"""Sum up operations in equal stretches of time."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.records import NS_PER_S, Operation, Outcome

# Widths that people read off an axis without thinking, in seconds.
_WIDTHS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_BIN_OPERATIONS = 10  # with fewer, the 99th percentile is no more than the slowest of a handful
_BINS_MIN = 20  # with fewer, nobody sees when something happened
_BINS_MAX = 80  # at 820 px of plot a bar is then still 10 px wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """The operations that were meant to start in one stretch of time.

    Args:
        start_s: Start, seconds since the start of the run.
        end_s: End.
        total: Number of operations.
        failed: Those that failed.
        rejected: Those that a breaker, bulkhead or limiter refused.
        unknown: Those whose outcome nobody knows.
        p50_s: Median latency without refused operations, whose few milliseconds would fake a
            recovery; None if there was none.
        p99_s: 99th percentile of the same.
    """

    start_s: float
    end_s: float
    total: int = 0
    failed: int = 0
    rejected: int = 0
    unknown: int = 0
    p50_s: float | None = None
    p99_s: float | None = None

    @property
    def not_ok_ratio(self) -> float:
        """Return the share of operations that were not OK; 0 if there was none."""
        return (self.failed + self.rejected + self.unknown) / self.total if self.total else 0.0


def width_for(duration_s: float, bins_max: int = _BINS_MAX) -> float:
    """Return the smallest readable width that covers the duration in at most `bins_max` bins.

    >>> width_for(60.0), width_for(8.0), width_for(900.0)
    (1.0, 0.1, 15.0)
    """
    for width_s in _WIDTHS_S:
        if duration_s <= width_s * bins_max:
            return width_s
    return duration_s / bins_max


def width_of(duration_s: float, operations: int, bins_max: int = _BINS_MAX) -> float:
    """Return a width at which a bin holds enough operations for its quantiles to mean anything.

    >>> width_of(11.0, 211), width_of(11.0, 20_000)
    (0.5, 0.2)
    """
    width_s = width_for(duration_s, bins_max)
    for wider_s in _WIDTHS_S:
        is_thin = operations * width_s < _BIN_OPERATIONS * duration_s
        if wider_s > width_s and is_thin and duration_s / wider_s >= _BINS_MIN:
            width_s = wider_s
    return width_s


def quantile(values: Sequence[float], share: float) -> float:
    """Return the nearest-rank quantile of sorted values: one of them, nothing in between.

    Raises:
        ValueError: If there are no values.

    Source: Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), definition 1.
    """
    if not values:
        raise ValueError("a quantile needs at least one value")
    rank = math.ceil(share * len(values) - 1e-9)
    return values[min(max(rank, 1), len(values)) - 1]


def bins_of(operations: Sequence[Operation], end_s: float, width_s: float) -> tuple[Bin, ...]:
    """Return the bins from 0 to `end_s`; operations outside are left out.

    Args:
        operations: Sorted by intended start.
        end_s: End of the run, seconds.
        width_s: Width of a bin, seconds.
    """
    starts = [operation.t_ns for operation in operations]
    count = max(1, math.ceil(end_s / width_s - 1e-9))
    bins = []
    for index in range(count):
        start_s, stop_s = index * width_s, min((index + 1) * width_s, end_s)
        first = bisect_left(starts, round(start_s * NS_PER_S))
        last = bisect_left(starts, round((index + 1) * width_s * NS_PER_S))
        bins.append(_bin(operations[first:last], start_s, stop_s))
    return tuple(bins)


def _bin(operations: Sequence[Operation], start_s: float, end_s: float) -> Bin:
    outcomes = [operation.outcome for operation in operations]
    answered = sorted(op.latency_s for op in operations if op.outcome != Outcome.REJECTED)
    return Bin(
        start_s=start_s,
        end_s=end_s,
        total=len(operations),
        failed=outcomes.count(Outcome.FAILED),
        rejected=outcomes.count(Outcome.REJECTED),
        unknown=outcomes.count(Outcome.UNKNOWN),
        p50_s=quantile(answered, 0.5) if answered else None,
        p99_s=quantile(answered, 0.99) if answered else None,
    )

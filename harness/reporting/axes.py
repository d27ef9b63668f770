"""Map seconds and latencies to pixels, with ticks that people read without thinking."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_TIME_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
_TICKS_MAX = 12
_MANTISSAS = (1.0, 2.0, 5.0)
_HEADROOM = 1.5  # above the slowest: room for what has no latency, and for the recovery's label
_LATENCY_MIN_S = 1e-4  # below a tenth of a millisecond a picture shows noise


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """Seconds since the start of the run, from left to right."""

    end_s: float
    left: float
    width: float

    def x(self, t_s: float) -> float:
        """Return the pixel of an instant, kept inside the axis."""
        return self.left + min(max(t_s / self.end_s, 0.0), 1.0) * self.width

    @property
    def right(self) -> float:
        """Return the pixel of the end."""
        return self.left + self.width

    def ticks(self) -> list[float]:
        """Return the instants that are labelled: at most twelve steps."""
        step_s = next((s for s in _TIME_STEPS_S if self.end_s / s <= _TICKS_MAX), self.end_s)
        return [index * step_s for index in range(int(self.end_s / step_s + 1e-9) + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyAxis:
    """Latency on a logarithmic axis, from the bottom up."""

    low_s: float
    high_s: float
    top: float
    height: float

    def y(self, latency_s: float) -> float:
        """Return the pixel of a latency, kept inside the axis."""
        share = math.log(max(latency_s, self.low_s) / self.low_s)
        whole = math.log(self.high_s / self.low_s)
        return self.top + self.height * (1.0 - min(share / whole, 1.0))

    def ticks(self) -> list[float]:
        """Return the latencies that are labelled: decades, and 2 and 5 where there are few."""
        decades = math.log10(self.high_s / self.low_s)
        mantissas = _MANTISSAS if decades < 2.5 else (1.0,)  # noqa: PLR2004 -- else too crowded
        first = math.floor(math.log10(self.low_s))
        last = math.ceil(math.log10(self.high_s))
        found = [m * 10.0**e for e in range(first, last + 1) for m in mantissas]
        return [t for t in found if self.low_s * 0.999 <= t <= self.high_s * 1.001]


def latency_range(values_s: Sequence[float]) -> tuple[float, float]:
    """Return bottom and top of an axis over the data, seconds: at least one decade apart."""
    low_s = _nice(max(min(values_s, default=0.001), _LATENCY_MIN_S), up=False)
    highest_s = max(values_s, default=0.1) * _HEADROOM
    return low_s, _nice(max(highest_s, low_s * 10.0), up=True)


def _nice(value: float, *, up: bool) -> float:
    """Return the next 1, 2 or 5 times a power of ten, upwards or downwards."""
    exponent = math.floor(math.log10(value))
    steps = [m * 10.0**e for e in (exponent, exponent + 1) for m in _MANTISSAS]
    if up:
        return next(step for step in steps if step >= value * (1 - 1e-9))
    return next(step for step in reversed(steps) if step <= value * (1 + 1e-9))

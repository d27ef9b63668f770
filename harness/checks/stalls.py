"""What the machine did meanwhile: measured stalls, which widen tolerances and excuse latency."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from harness.model.history import History, Window
from harness.model.records import NS_PER_S, FaultRecord, LagSample

STALL_FACTOR = 1.5  # with it, none of 199,020 sound transitions on a busy machine was called late
TOLERANCE_MIN_S = 0.05  # what two busy cores add to a timer
TOLERANCE_RATIO = 0.10
EARLY_S = 0.002  # event loops round timers to whole milliseconds

_BEFORE_NS = 10_000_000  # a stall that ended a moment earlier still delays the timer
_AFTER_NS = 20_000_000  # and one that began a moment later delays the record of it

_STALLS_HOST = frozenset({"cpu_pressure"})  # its burners take the processor from everybody
_STALLS_TARGET = frozenset(
    {"pause", "kill", "stop", "restart", "memory_pressure", "fds_exhausted", "in_process"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stalls:
    """Measured stalls that may excuse, in order of their end.

    Args:
        samples: One for each late tick.
        longest_ns: The longest of them.
    """

    samples: tuple[LagSample, ...]
    longest_ns: int

    def largest_s(self, start_ns: int, end_ns: int) -> float:
        """Return the largest stall that overlaps a stretch, in seconds; 0 if there is none."""
        first = bisect_left(self.samples, start_ns - _BEFORE_NS, key=lambda sample: sample.t_ns)
        largest_ns = 0
        for sample in self.samples[first:]:
            if sample.t_ns - self.longest_ns > end_ns + _AFTER_NS:
                break
            if sample.t_ns - sample.lag_ns <= end_ns + _AFTER_NS:
                largest_ns = max(largest_ns, sample.lag_ns)
        return largest_ns / NS_PER_S


def stalls_of(history: History) -> Stalls:
    """Return all measured stalls but those that a fault was meant to cause.

    A paused service is late because it was paused, and burners stall the whole host: there, a
    stall is the effect that the claim is about, and excuses nothing.
    """
    meant = list(_meant(history))

    def is_meant(sample: LagSample) -> bool:
        start_ns = sample.t_ns - sample.lag_ns
        return any(
            service in {None, sample.service}
            and start_ns < window.end_ns + _AFTER_NS
            and sample.t_ns >= window.start_ns - _BEFORE_NS
            for service, window in meant
        )

    samples = tuple(sample for sample in history.of(LagSample) if not is_meant(sample))
    longest_ns = max((sample.lag_ns for sample in samples), default=0)
    return Stalls(samples=samples, longest_ns=longest_ns)


def stalling_windows(history: History) -> list[Window]:
    """Return when a fault was in force that stalls the whole host, the load generator included."""
    return [window for service, window in _meant(history) if service is None]


def _meant(history: History) -> Iterator[tuple[str | None, Window]]:
    """Yield when a fault stalled a service on purpose; None stands for every process."""
    windows = history.fault_windows()
    for fault in history.of(FaultRecord, lambda record: record.what == "applied"):
        if fault.fault in _STALLS_HOST:
            yield None, windows[fault.fault_id]
        elif fault.fault in _STALLS_TARGET:
            yield fault.target, windows[fault.fault_id]


def tolerance_s(bound_s: float) -> float:
    """Return how much later than a bound a timer may fire on a machine that does not stall."""
    return max(TOLERANCE_MIN_S, TOLERANCE_RATIO * bound_s)

"""The one rule that opens a circuit, in constant time and constant memory."""

from collections import deque

from resilience.configuration import BreakerConfig


class TripRule:
    """Remembers just enough outcomes of one era to know when to open.

    When a failure arrives, outcomes of age >= `monitoring_window_s` are forgotten; the circuit
    opens if and only if at least `volume_threshold` outcomes remain, the new failure included, and
    the newest `failure_threshold` of them are all failures.

    Kept are the newest failure times of the present run, and the newest outcome times only when
    the volume threshold is above the failure threshold: otherwise the run alone implies it, and a
    success costs no look at the clock.
    """

    __slots__ = ("_outcomes", "_run", "_window_s", "counts_successes")

    def __init__(self, config: BreakerConfig) -> None:
        volume = config.volume_threshold or config.failure_threshold
        self.counts_successes = volume > config.failure_threshold
        self._window_s = config.monitoring_window_s
        self._run: deque[float] = deque(maxlen=config.failure_threshold)
        self._outcomes: deque[float] = deque(maxlen=volume)

    def add_success(self, now_s: float) -> None:
        """Record a success; it ends the run of failures."""
        self._run.clear()
        if self.counts_successes:
            self._outcomes.append(now_s)

    def add_failure(self, now_s: float) -> bool:
        """Record a failure; return whether the circuit has to open now."""
        self._run.append(now_s)
        if not self.counts_successes:
            return self._is_full_and_fresh(self._run, now_s)
        self._outcomes.append(now_s)
        return self._is_full_and_fresh(self._run, now_s) and self._is_full_and_fresh(
            self._outcomes, now_s
        )

    def newest_is_fresh_failure(self, now_s: float) -> bool:
        """Tell whether the newest outcome is a failure and younger than the window."""
        return bool(self._run) and now_s - self._run[-1] < self._window_s

    def clear(self) -> None:
        """Forget everything; a new era starts."""
        self._run.clear()
        self._outcomes.clear()

    def _is_full_and_fresh(self, times_s: deque[float], now_s: float) -> bool:
        if len(times_s) != times_s.maxlen:
            return False
        # A single entry is the failure that just arrived: it counts even in a window of 0 s.
        return len(times_s) == 1 or now_s - times_s[0] < self._window_s

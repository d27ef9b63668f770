"""What retrying did, counted by operation."""

from dataclasses import dataclass

_MAX_LABELLED_OPERATIONS = 100  # label values of a metric are bounded; the rest shares one
OTHER_OPERATIONS = "(other)"
"""Label of all operations beyond the first hundred."""


@dataclass(slots=True, kw_only=True)
class RetryTally:
    """Counts what retrying did for one operation.

    Attributes:
        operation: The label.
        attempts: Second and later attempts.
        successes: Calls that succeeded after at least one of them.
        exhausted: Calls whose attempts all failed.
        deadline_exceeded: Calls that ran out of time.
        latency_s: Sum of the durations of all calls that were tried again or gave up, seconds.
        latency_count: Number of those calls.
    """

    operation: str
    attempts: int = 0
    successes: int = 0
    exhausted: int = 0
    deadline_exceeded: int = 0
    latency_s: float = 0.0
    latency_count: int = 0

    def add_latency(self, latency_s: float) -> None:
        """Count one call that took `latency_s`."""
        self.latency_s += latency_s
        self.latency_count += 1


class RetryTallies:
    """One tally per operation, a bounded number of them."""

    def __init__(self) -> None:
        self._tallies: dict[str, RetryTally] = {}

    def of(self, operation: str) -> RetryTally:
        """Return the tally that counts for `operation`."""
        if operation not in self._tallies and len(self._tallies) >= _MAX_LABELLED_OPERATIONS:
            operation = OTHER_OPERATIONS
        return self._tallies.setdefault(operation, RetryTally(operation=operation))

    def all(self) -> tuple[RetryTally, ...]:
        """Return every tally, in order of first use."""
        return tuple(self._tallies.values())

    def clear(self) -> None:
        """Set all counts to 0."""
        self._tallies.clear()

"""Say how refreshes ended: as a value, as records, and as metrics."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from resilience import CircuitOpen, DeadlineExceeded, RetryExhausted
from resilience.errors import is_local_rejection
from shadow_atlas.boundaries.store import ClaimLost
from shadow_atlas.boundaries.versions import CurrentBoundaries
from shadow_atlas.errors import classify
from shadow_atlas.events import EventSink
from shadow_atlas.portal_queries import MalformedAnswer


class What(StrEnum):
    """How a refresh ended."""

    REPLACED = "replaced"  # a new set is in force
    FAILED = "failed"  # the old set stays in force
    SKIPPED = "skipped"  # it is young enough, or somebody is at it


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """How a refresh ended.

    Args:
        what: In a word.
        version: Number of the set that it put in force.
        areas: Number of counties in it.
        changed: How many of them are new, gone or different.
        reason: Why it failed: `malformed`, `circuit_open`, `claim_lost` or a class of error.
    """

    what: What
    version: int | None = None
    areas: int | None = None
    changed: int | None = None
    reason: str | None = None

    def json(self) -> dict[str, Any]:
        """Return the form that answers have."""
        return asdict(self)


class RefreshRecord:
    """Write a `boundary_refresh` event for each step, and count.

    Args:
        events: Takes the events.
        registry: Where the metrics are registered.
        current: The version in force, for its gauges.
    """

    def __init__(
        self, *, events: EventSink, registry: CollectorRegistry, current: CurrentBoundaries
    ) -> None:
        self.failures = 0
        self._events = events
        self._ended = Counter(
            "boundary_refreshes", "refreshes of the boundaries", ["what"], registry=registry
        )
        for what in (What.REPLACED, What.FAILED):
            self._ended.labels(what)  # from the start, so that a first failure is an increase
        Gauge(
            "boundary_age_seconds",
            "time since the boundaries in force were put there",
            registry=registry,
        ).set_function(lambda: current.age_s or 0.0)
        Gauge(
            "boundary_version", "number of the boundaries in force, 0 if unknown", registry=registry
        ).set_function(lambda: 0 if current.version is None else current.version.number)

    def started(self, call_id: str) -> None:
        """Record that this instance has the lease and begins."""
        self._emit(call_id, "started", Refresh(what=What.SKIPPED))

    def ended(self, call_id: str, refresh: Refresh) -> None:
        """Record how it went."""
        self.failures = 0 if refresh.what is What.REPLACED else self.failures + 1
        self._ended.labels(refresh.what).inc()
        self._emit(call_id, refresh.what.value, refresh)

    def _emit(self, call_id: str, what: str, refresh: Refresh) -> None:
        self._events.emit(
            "boundary_refresh",
            call_id=call_id,
            what=what,
            version=refresh.version,
            areas=refresh.areas,
            changed=refresh.changed,
            reason=refresh.reason,
        )


def reason_of(error: Exception) -> str:
    """Name what kept a refresh from its end, in a word for records.

    >>> reason_of(MalformedAnswer("the body is empty"))
    'malformed'
    """
    if isinstance(error, RetryExhausted | DeadlineExceeded) and error.last_error is not None:
        return reason_of(error.last_error)
    if isinstance(error, MalformedAnswer):
        return "malformed"
    if isinstance(error, ClaimLost):
        return "claim_lost"
    if is_local_rejection(error):
        return "circuit_open" if isinstance(error, CircuitOpen) else "rejected"
    return classify(error).value

"""What the layer tells about itself, and how listeners hear it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

FieldValue: TypeAlias = str | int | float | None


class EventKind(StrEnum):
    """Everything a listener may hear of; the fields of each are in the reference page."""

    CIRCUIT_OPENED = "circuit_opened"
    CIRCUIT_CLOSED = "circuit_closed"
    CIRCUIT_HALF_OPEN = "circuit_half_open"
    UPSTREAM_FAILED = "upstream_failed"
    UPSTREAM_RECOVERED = "upstream_recovered"
    ATTEMPT_ENDED = "attempt_ended"
    RETRY_EXHAUSTED = "retry_exhausted"
    DEADLINE_EXCEEDED = "deadline_exceeded"
    BULKHEAD_ADMITTED = "bulkhead_admitted"
    BULKHEAD_QUEUED = "bulkhead_queued"
    BULKHEAD_REJECTED = "bulkhead_rejected"
    BULKHEAD_TIMED_OUT = "bulkhead_timed_out"
    BULKHEAD_RELEASED = "bulkhead_released"
    RATE_LIMIT_ALLOWED = "rate_limit_allowed"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    FALLBACK_ACTIVATED = "fallback_activated"
    CHAOS_INJECTED = "chaos_injected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: What happened.
        component: Name of the breaker, bulkhead, limiter or stack that it happened in.
        time_s: Seconds on the layer's monotonic clock.
        fields: Details by name, flat and JSON-ready.
    """

    kind: EventKind
    component: str
    time_s: float
    fields: Mapping[str, FieldValue] = field(default_factory=dict)


Listener: TypeAlias = Callable[[Event], None]


class Listeners:
    """Those who listen to one component.

    A listener is a plain function. It runs after the change it hears of, may read state and start
    calls, and cannot hurt the caller: what it raises is counted in `errors` and dropped.

    Attributes:
        active: Whether anybody listens; ask it before an event is built.
        errors: How many times a listener raised.
    """

    __slots__ = ("_listeners", "active", "errors")

    def __init__(self, listener: Listener | None = None) -> None:
        self._listeners: tuple[Listener, ...] = () if listener is None else (listener,)
        self.active = listener is not None
        self.errors = 0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener, at most once however often it subscribes; return its unsubscribing."""
        if listener not in self._listeners:
            self._listeners = (*self._listeners, listener)
            self.active = True
        return lambda: self._unsubscribe(listener)

    def announce(self, event: Event) -> None:
        """Tell every listener of `event`, in order of subscription."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # noqa: BLE001 - an observer must not break what it observes
                self.errors += 1

    def _unsubscribe(self, listener: Listener) -> None:
        self._listeners = tuple(each for each in self._listeners if each != listener)
        self.active = bool(self._listeners)

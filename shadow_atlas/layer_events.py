"""Translate what the resilience layer announces into the event records of a service."""

from collections.abc import Callable, Mapping
from typing import Final

from resilience import Event, EventKind, Listener
from shadow_atlas.events import EventSink, JsonScalar

_BULKHEAD_DECISIONS: Final = {
    EventKind.BULKHEAD_ADMITTED: "admitted",
    EventKind.BULKHEAD_QUEUED: "queued",
    EventKind.BULKHEAD_REJECTED: "rejected",
    EventKind.BULKHEAD_TIMED_OUT: "timed_out",
    EventKind.BULKHEAD_RELEASED: "released",
}
_STATUSES_MAX: Final = 1000  # more attempts than any service has in flight


class LayerEvents:
    """A listener of the layer that writes records.

    Args:
        sink: Takes the records.
        links: The link that each component guards, such as `{"api-server": "api -> db"}`, by the
            name that the component has in the layer. Attempts of others carry their name.
    """

    def __init__(self, sink: EventSink, *, links: Mapping[str, str]) -> None:
        self._sink = sink
        self._links = links
        self._statuses: dict[tuple[str, int], int] = {}
        self._writers: dict[EventKind, Callable[[Event], None]] = {
            EventKind.CIRCUIT_OPENED: self._breaker,
            EventKind.CIRCUIT_CLOSED: self._breaker,
            EventKind.CIRCUIT_HALF_OPEN: self._breaker,
            EventKind.ATTEMPT_ENDED: self._attempt,
            EventKind.RETRY_EXHAUSTED: self._retry_exhausted,
            EventKind.FALLBACK_ACTIVATED: self._fallback,
            EventKind.RATE_LIMIT_ALLOWED: self._limiter,
            EventKind.RATE_LIMIT_EXCEEDED: self._limiter,
            EventKind.CHAOS_INJECTED: self._chaos,
            **dict.fromkeys(_BULKHEAD_DECISIONS, self._bulkhead),
        }

    def __call__(self, event: Event) -> None:
        """Write one record; kinds that have none are left out."""
        writer = self._writers.get(event.kind)
        if writer is not None:
            writer(event)

    def note_status(self, *, call_id: str, attempt: int, status: int) -> None:
        """Remember the HTTP status of an attempt, which the layer does not know.

        The record of the attempt takes it when the attempt ends. Of attempts that never end only
        the newest thousand are remembered.
        """
        if len(self._statuses) >= _STATUSES_MAX:
            del self._statuses[next(iter(self._statuses))]
        self._statuses[call_id, attempt] = status

    def _breaker(self, event: Event) -> None:
        self._sink.emit(
            "breaker",
            name=event.component,
            link=self._links.get(event.component),
            **_chosen(event, "from_state", "to_state", "generation", "reason"),
        )

    def _attempt(self, event: Event) -> None:
        fields = event.fields
        call_id, number = str(fields.get("call_id")), int(fields.get("attempt") or 0)
        started_s = float(fields.get("started_s") or 0.0)
        self._sink.emit(
            "attempt",
            link=self._links.get(event.component, event.component),
            call_id=call_id,
            attempt=number,
            started_ns=round(started_s * 1e9),
            **_chosen(event, "outcome", "error_class"),
            status=self._statuses.pop((call_id, number), None),
            backoff_s=fields.get("backoff_s"),
        )

    def _retry_exhausted(self, event: Event) -> None:
        self._sink.emit(
            "retry_exhausted", **_chosen(event, "operation", "call_id", "attempts", "error_class")
        )

    def _fallback(self, event: Event) -> None:
        self._sink.emit(
            "fallback",
            name=event.component,
            **_chosen(event, "call_id", "source", "age_s", "error_class"),
        )

    def _bulkhead(self, event: Event) -> None:
        self._sink.emit(
            "bulkhead",
            name=event.component,
            decision=_BULKHEAD_DECISIONS[event.kind],
            **_chosen(event, "active", "queued", "max_concurrent", "max_queue"),
        )

    def _limiter(self, event: Event) -> None:
        is_allowed = event.kind is EventKind.RATE_LIMIT_ALLOWED
        self._sink.emit(
            "limiter",
            name=event.component,
            client=event.fields.get("client"),
            decision="allowed" if is_allowed else "rejected",
            **_chosen(event, "tokens", "retry_after_s"),
        )

    def _chaos(self, event: Event) -> None:
        self._sink.emit("chaos", **_chosen(event, "fault", "call_id"))


def without_attempts(listener: Listener) -> Listener:
    """Leave attempts out of what `listener` hears.

    It is for a stack around other stacks: its attempts are calls of theirs, and theirs are the
    attempts that reach an upstream. Both under one call id would count each of them twice.
    """

    def hear(event: Event) -> None:
        if event.kind is not EventKind.ATTEMPT_ENDED:
            listener(event)

    return hear


def _chosen(event: Event, *names: str) -> dict[str, JsonScalar]:
    """Pick fields in the order of the record; a missing one is null."""
    return {name: event.fields.get(name) for name in names}

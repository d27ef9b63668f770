"""Whether the events of a service are all there: what is missing may hide what matters."""

from harness.model.history import History
from harness.model.records import (
    Attempt,
    BreakerTransition,
    BulkheadDecision,
    ClockRecord,
    EventGap,
    FaultRecord,
    LimiterDecision,
    Note,
    ProcessRecord,
    ReceivedRequest,
    ServedRequest,
    WorkItem,
)

UNCERTAINTY_MAX_S = 0.002  # checks let an event stand so much before what it caused

_FROM_SERVICES = (
    ClockRecord,
    ServedRequest,
    Attempt,
    ReceivedRequest,
    BreakerTransition,
    BulkheadDecision,
    LimiterDecision,
    WorkItem,
)


def unreadable(history: History, service: str) -> str:
    """Return why the events of a service cannot be relied upon; empty if they can."""
    for gap in history.of(EventGap):
        if gap.service == service:
            detail = f" ({gap.detail})" if gap.detail else ""
            return f"{gap.missing} events of {service}.{gap.incarnation} are missing{detail}"
    if not has_events(history, service):
        return f"there are no events of {service}"
    return _badly_dated(history, service)


def _badly_dated(history: History, service: str) -> str:
    for note in history.of(Note, lambda note: note.name == "clock_offset"):
        uncertainty_s = note.value["uncertainty_s"]
        if note.value["service"] == service and uncertainty_s > UNCERTAINTY_MAX_S:
            return f"the clock of {service} is known to {uncertainty_s:.4f} s only"
    return ""


def has_events(history: History, service: str) -> bool:
    """Say whether a service wrote any event at all."""
    return any(
        isinstance(record, _FROM_SERVICES) and record.service == service for record in history
    )


def died(history: History, service: str) -> bool:
    """Say whether a process of the service ended in the run, so that its last words may lack."""
    window = history.run_window()
    ended = {"stopping", "stopped", "exited", "killed"}
    by_fault = any(
        record.target == service and record.fault in {"kill", "stop", "restart"}
        for record in history.of(FaultRecord)
    )
    return by_fault or any(
        record.service == service
        and record.what in ended
        and window is not None
        and record.t_ns in window
        for record in history.of(ProcessRecord)
    )

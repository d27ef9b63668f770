"""The events of a breaker's transitions."""

from collections.abc import Iterator

from resilience.breaker_state import BreakerState
from resilience.events import Event, EventKind

_KIND_BY_STATE = {
    BreakerState.CLOSED: EventKind.CIRCUIT_CLOSED,
    BreakerState.OPEN: EventKind.CIRCUIT_OPENED,
    BreakerState.HALF_OPEN: EventKind.CIRCUIT_HALF_OPEN,
}
_KINDS_BY_REASON = {
    "failure_threshold": (EventKind.UPSTREAM_FAILED,),
    "probes_succeeded": (EventKind.UPSTREAM_RECOVERED,),
}


def transition_events(
    name: str,
    states: tuple[BreakerState, BreakerState],
    *,
    generation: int,
    reason: str,
    time_s: float,
) -> Iterator[Event]:
    """Yield what a transition is told as: the new state, then what it says of the upstream.

    Args:
        name: Of the breaker.
        states: From and to.
        generation: Of the era that has begun.
        reason: `failure_threshold`, `open_duration_elapsed`, `probe_failed`, `probes_succeeded`,
            `reset` or `forced`.
        time_s: Monotonic seconds.
    """
    from_state, to_state = states
    kinds = (_KIND_BY_STATE[to_state], *_KINDS_BY_REASON.get(reason, ()))
    for kind in kinds:
        yield Event(
            kind=kind,
            component=name,
            time_s=time_s,
            fields={
                "from_state": from_state.value,
                "to_state": to_state.value,
                "generation": generation,
                "reason": reason,
            },
        )

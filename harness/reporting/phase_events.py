"""What happened in each phase of a run, in words: faults, breakers, processes."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.history import History, Window
from harness.model.records import (
    NS_PER_S,
    BreakerTransition,
    FaultRecord,
    Phase,
    ProcessRecord,
)

_EVENTS_MAX = 100  # per phase: a breaker that flaps for ever must not flood the page


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEvents:
    """A phase and what happened in it.

    Args:
        name: Its name.
        start_ns: Start, ns since the start of the run.
        end_ns: End.
        events: When and what, in order of time.
        left_out: How many more there were.
    """

    name: str
    start_ns: int
    end_ns: int
    events: tuple[tuple[int, str], ...] = ()
    left_out: int = 0


def phase_events(history: History) -> tuple[PhaseEvents, ...]:
    """Return the phases in order, each with its first events and what was done to the system."""
    return tuple(_of(history, phase) for phase in history.of(Phase))


def _of(history: History, phase: Phase) -> PhaseEvents:
    window = Window(start_ns=phase.t_ns, end_ns=phase.end_ns)
    found: list[FaultRecord | BreakerTransition | ProcessRecord] = [
        *history.within(FaultRecord, window),
        *history.within(BreakerTransition, window),
        *history.within(ProcessRecord, window),
    ]
    found.sort(key=lambda record: record.t_ns)
    shown = _shown(found)
    return PhaseEvents(
        name=phase.name,
        start_ns=phase.t_ns,
        end_ns=phase.end_ns,
        events=tuple((record.t_ns, _told(record)) for record in shown),
        left_out=len(found) - len(shown),
    )


def _shown(
    records: Sequence[FaultRecord | BreakerTransition | ProcessRecord],
) -> list[FaultRecord | BreakerTransition | ProcessRecord]:
    """Return at most so many records as can be read; faults go first, they explain the others."""
    if len(records) <= _EVENTS_MAX:
        return list(records)
    faults = [record for record in records if isinstance(record, FaultRecord)][:_EVENTS_MAX]
    others = [record for record in records if not isinstance(record, FaultRecord)]
    kept = faults + others[: _EVENTS_MAX - len(faults)]
    return sorted(kept, key=lambda record: record.t_ns)


def _told(record: FaultRecord | BreakerTransition | ProcessRecord) -> str:
    at = f"{record.t_ns / NS_PER_S:.2f} s"
    if isinstance(record, FaultRecord):
        detail = f": {record.detail}" if record.detail else ""
        return f"{at} {record.fault} {record.target} {record.what}{detail}"
    if isinstance(record, BreakerTransition):
        name = record.link or record.name
        return f"{at} breaker {name}: {record.from_state} to {record.to_state}"
    return f"{at} {record.service} {record.what}"

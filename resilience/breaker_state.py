"""The values a circuit breaker shows: state, permit, snapshot."""

from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """Whether calls pass (`closed`), are refused (`open`) or are tried out (`half_open`)."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Outcome(StrEnum):
    """How an admitted call or an attempt ended.

    `ignored` (an excluded error or a local rejection) and `abandoned` (a cancel) say nothing about
    the upstream; `late` means that the era it was admitted in is over, so it decides nothing.
    """

    OK = "ok"
    FAILED = "failed"
    IGNORED = "ignored"
    ABANDONED = "abandoned"
    LATE = "late"


class Permit:
    """Leave to make one call, stamped with the era it was given in; compared by identity.

    While a circuit is closed all calls of an era share one permit, so admission allocates nothing.

    Attributes:
        generation: Number of the breaker's era.
        started_s: Monotonic seconds at admission; for the shared permit, of the era's start.
    """

    __slots__ = ("generation", "started_s")

    def __init__(self, generation: int, started_s: float) -> None:
        self.generation = generation
        self.started_s = started_s

    def __repr__(self) -> str:
        return f"Permit(generation={self.generation}, started_s={self.started_s})"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSnapshot:
    """Everything there is to know about a breaker at one instant.

    Attributes:
        name: Of the breaker.
        state: Computed from the time, so `half_open` once the open duration is over.
        generation: Number of the present era.
        consecutive_failures: Failures since the last success, across transitions.
        probes_in_flight: Permits that are out in half-open.
        successes: Applied since construction; likewise the other counts.
        failures: Applied failures.
        rejections: Calls refused while open or half-open.
        ignored: Excluded errors and local rejections.
        abandoned: Cancelled calls.
        late: Outcomes of an earlier era.
        state_changes: Transitions, `reset` and `force` included.
        last_state_change_unix_s: Wall time of the newest transition, or of construction.
        not_closed_since_unix_s: Wall time at which the circuit left `closed`, 0 while closed.
    """

    name: str
    state: BreakerState
    generation: int
    consecutive_failures: int
    probes_in_flight: int
    successes: int
    failures: int
    rejections: int
    ignored: int
    abandoned: int
    late: int
    state_changes: int
    last_state_change_unix_s: float
    not_closed_since_unix_s: float

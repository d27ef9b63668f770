"""Records that the harness itself writes: phases, operations, faults, probes, processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

NS_PER_S = 1_000_000_000


class Outcome(StrEnum):
    """How an operation ended, as its client saw it."""

    OK = "OK"
    FAILED = "FAILED"
    REJECTED = "REJECTED"  # refused by a breaker, bulkhead or limiter of the service
    UNKNOWN = "UNKNOWN"  # timed out or cut off: it may have happened


class Source(StrEnum):
    """Where the answer to an operation came from."""

    PRIMARY = "primary"
    STALE_CACHE = "stale_cache"
    STATIC = "static"
    DEGRADED = "degraded"
    FAIL_OPEN = "fail_open"


class PhaseName(StrEnum):
    """The named stretches of a run."""

    BASELINE = "baseline"
    FAULT = "fault"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase began at `t_ns` and ended at `end_ns`."""

    kind: ClassVar[str] = "phase"
    t_ns: int
    end_ns: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request as its client saw it.

    Args:
        t_ns: The intended start: latency counts from here, so a late harness hides nothing.
        started_ns: When it was really dispatched.
        end_ns: When its outcome was known.
        load: Name of the load that it belongs to.
        call_id: The id that all attempts of this call share.
        client: Client id that it was sent as.
        method: HTTP method.
        target: Path and query.
        outcome: How it ended.
        reason: Why it was not OK, e.g. `http_500`, `timeout`, `connect_refused`, `limiter`.
        status: HTTP status, if an answer came.
        source: The answer's `x-atlas-source`.
        rejected_by: The answer's `x-atlas-rejected-by`.
        age_s: The answer's `x-atlas-age-s`: how stale a cached answer was.
        retry_after_s: The answer's `Retry-After`.
        size_bytes: Bytes of the answer's body.
    """

    kind: ClassVar[str] = "operation"
    t_ns: int
    started_ns: int
    end_ns: int
    load: str
    call_id: str
    client: str
    method: str
    target: str
    outcome: str
    reason: str | None = None
    status: int | None = None
    source: str | None = None
    rejected_by: str | None = None
    age_s: float | None = None
    retry_after_s: float | None = None
    size_bytes: int = 0

    @property
    def latency_s(self) -> float:
        """Return end minus intended start, seconds."""
        return (self.end_ns - self.t_ns) / NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecord:
    """A step in the life of a fault.

    Args:
        t_ns: When it happened.
        fault_id: `<index in the timeline>:<fault>`, unique in the run.
        fault: Name of the fault.
        target: The link (`api -> db`) or the service that it acts on.
        what: `applied` (and read back), `effect` (measured), `healed` (and read back).
        detail: What was read back or measured, for people.
        count: For an effect: how many times it was seen.
    """

    kind: ClassVar[str] = "fault"
    t_ns: int
    fault_id: str
    fault: str
    target: str
    what: str
    detail: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A quantity of the system was read; nothing was changed.

    Args:
        t_ns: When the answer was complete.
        probe: Name of the probe.
        status: HTTP status; None if no answer came.
        values: The numbers, texts and truth values of the JSON answer, keyed by dotted path.
        error: Why no answer came.
    """

    kind: ClassVar[str] = "probe"
    t_ns: int
    probe: str
    status: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReading:
    """An alert was looked at: one of its series that is active, or that none is.

    Args:
        t_ns: When the answer was complete; all records of one look share it.
        alert: Name of the alert; empty if no answer came.
        state: `firing`, `pending`, or `inactive` without any active series; None if it is not
            known.
        labels: The labels of the series that is active.
        error: Why the state is not known.
    """

    kind: ClassVar[str] = "alert"
    t_ns: int
    alert: str
    state: str | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """A process of the system started, became ready or ended."""

    kind: ClassVar[str] = "process"
    t_ns: int
    service: str
    incarnation: str
    what: str
    pid: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LagSample:
    """A ticker was this late: the machine or the process stalled."""

    kind: ClassVar[str] = "lag"
    t_ns: int
    service: str
    lag_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessorWait:
    """A service was ready to run and waited this long for a processor, since the last look.

    Only what exceeds a tenth of the time is recorded.
    """

    kind: ClassVar[str] = "processor_wait"
    t_ns: int
    service: str
    waited_ns: int
    interval_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventGap:
    """Events of a service are missing: `seq` jumped, or its file could not be read."""

    kind: ClassVar[str] = "gap"
    t_ns: int
    service: str
    incarnation: str
    missing: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A fact about the run itself, e.g. the seed, or how late the load was dispatched."""

    kind: ClassVar[str] = "note"
    t_ns: int
    name: str
    value: Any

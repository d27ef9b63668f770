"""Records that services and stand-ins write: what they say, and what reached them."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerTransition:
    """A breaker says that it moved from one state to another."""

    kind: ClassVar[str] = "breaker"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    name: str
    link: str | None
    from_state: str
    to_state: str
    generation: int = 0
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A client service says that one attempt at an upstream ended."""

    kind: ClassVar[str] = "attempt"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    link: str
    call_id: str
    attempt: int
    started_ns: int
    outcome: str
    error_class: str | None = None
    status: int | None = None
    backoff_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedRequest:
    """An upstream saw a request: the record that counts attempts, whatever the client says."""

    kind: ClassVar[str] = "received"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    call_id: str
    attempt: int
    method: str
    path: str
    started_ns: int
    status: int | None = None
    bytes: int = 0
    scripted: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedRequest:
    """A service says that it answered a request."""

    kind: ClassVar[str] = "request"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    call_id: str
    method: str
    path: str
    started_ns: int
    status: int | None = None
    source: str | None = None
    rejected_by: str | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkheadDecision:
    """A bulkhead admitted, queued or turned away a call, or got a slot back."""

    kind: ClassVar[str] = "bulkhead"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    name: str
    decision: str
    active: int
    queued: int
    max_concurrent: int
    max_queue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterDecision:
    """A rate limiter let a call through or turned it away."""

    kind: ClassVar[str] = "limiter"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    name: str
    client: str | None
    decision: str
    tokens: float = 0.0
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryExhausted:
    """A retry gave up."""

    kind: ClassVar[str] = "retry_exhausted"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    operation: str | None
    call_id: str | None
    attempts: int
    error_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackUse:
    """A fallback answered instead of the upstream."""

    kind: ClassVar[str] = "fallback"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    name: str
    call_id: str | None
    source: str
    age_s: float | None = None
    error_class: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkItem:
    """A durable task moved on."""

    kind: ClassVar[str] = "work_item"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    key: str
    what: str
    job: str | None = None
    attempt: int | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryRefresh:
    """A service says how a refresh of its reference data went."""

    kind: ClassVar[str] = "boundary_refresh"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    call_id: str
    what: str
    version: int | None = None
    areas: int | None = None
    changed: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosAct:
    """A service says that an in-process fault acted on a call."""

    kind: ClassVar[str] = "chaos"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    fault: str
    call_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRecord:
    """A process told both of its clocks, so that streams can be put on one time axis."""

    kind: ClassVar[str] = "clock"
    t_ns: int
    service: str
    incarnation: str
    seq: int
    wall_unix_ns: int

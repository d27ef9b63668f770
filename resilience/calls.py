"""What one call carries through the layer, and what comes out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from resilience.bulkhead import Bulkhead
from resilience.deadlines import Deadline
from resilience.errors import AttemptRecord

T = TypeVar("T")


class Source(StrEnum):
    """Where an answer came from."""

    PRIMARY = "primary"
    STATIC = "static"
    STALE_CACHE = "stale_cache"
    DEGRADED = "degraded"
    FAIL_OPEN = "fail_open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Tells the called function which attempt it is.

    Attributes:
        number: 1 for the first.
        call_id: The same for all attempts of a call.
    """

    number: int
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StackResult(Generic[T]):
    """An answer and where it came from.

    Attributes:
        value: The answer.
        source: `primary` unless a fallback answered.
        degraded: Whether a fallback answered.
        age_s: Age of an answer from the stale cache, seconds; None for every other source.
        error: What the fallback hid; None for `primary`.
        attempts: How many attempts reached the upstream.
    """

    value: T
    source: Source
    degraded: bool
    age_s: float | None
    error: Exception | None
    attempts: int


class Call(Generic[T]):
    """The state of one call; it lives as long as the call.

    Attributes:
        fn: The guarded function.
        operation: Label of the call in metrics and events.
        call_id: Names the call in events.
        client: Whose tokens it uses.
        cache_key: Under which a success is remembered, None for not at all.
        bulkhead: Where each attempt takes its slot.
        started_s: Monotonic seconds at the start.
        attempts: How many reached the upstream so far.
        delay_s: Back-off before the newest attempt, seconds.
        records: The failed attempts so far.
        deadline: The end of the whole call, if there is one.
    """

    __slots__ = (
        "attempts",
        "bulkhead",
        "cache_key",
        "call_id",
        "client",
        "deadline",
        "delay_s",
        "fn",
        "operation",
        "records",
        "started_s",
    )

    def __init__(
        self, fn: Callable[[Attempt], Awaitable[T]], *, operation: str, call_id: str
    ) -> None:
        self.fn = fn
        self.operation = operation
        self.call_id = call_id
        self.client = ""
        self.cache_key: str | None = None
        self.bulkhead: Bulkhead | None = None
        self.started_s = 0.0
        self.attempts = 0
        self.delay_s = 0.0
        self.records: list[AttemptRecord] = []
        self.deadline: Deadline | None = None

    @property
    def last_error(self) -> Exception | None:
        """What the newest failed attempt raised."""
        return self.records[-1].error if self.records else None

    def begin_attempt(self) -> Attempt:
        """Count an attempt that reaches the upstream now."""
        self.attempts += 1
        return Attempt(number=self.attempts, call_id=self.call_id)

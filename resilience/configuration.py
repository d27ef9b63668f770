"""The settings of every part: frozen, validated at construction, every default with its reason.

Zero is a value everywhere (`max_queue=0` never queues); only None means "off".
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from resilience.classification import ErrorClass
from resilience.fallback_strategies import FallbackConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerConfig:
    """When a circuit opens, for how long, and what closes it again.

    Args:
        failure_threshold: Consecutive failures that open the circuit.
        success_threshold: Probe successes that close it.
        open_duration_s: Time without any call after opening, seconds.
        half_open_max_calls: Probes in flight at the same time.
        monitoring_window_s: Outcomes of this age or older are forgotten, seconds.
        volume_threshold: Outcomes inside the window that are needed to open at all; None means
            as many as `failure_threshold`.
        probe_timeout_s: Age at which a hung probe loses its slot, seconds; None means
            `open_duration_s`.
        excluded: Exception types that say nothing about the upstream.
        excluded_if: The same, by a predicate on the error; it is asked after `excluded`.

    Raises:
        ValueError: Names the field that is out of range.
    """

    failure_threshold: int = 5  # the guide's; a single lost packet never opens a circuit
    success_threshold: int = 2  # one lucky answer of a dying upstream does not close it
    open_duration_s: float = 60.0  # the guide's, for background work
    half_open_max_calls: int = 3  # enough to reach success_threshold despite one slow probe
    monitoring_window_s: float = 60.0  # failures an hour apart are no outage
    volume_threshold: int | None = None
    probe_timeout_s: float | None = None
    excluded: tuple[type[Exception], ...] = ()
    excluded_if: Callable[[Exception], bool] | None = None

    def __post_init__(self) -> None:
        for name in ("failure_threshold", "success_threshold", "half_open_max_calls"):
            _require_count(self, name, minimum=1)
        if self.volume_threshold is not None:
            _require_count(self, "volume_threshold", minimum=1)
        for name in ("open_duration_s", "monitoring_window_s"):
            _require_number(self, name)
        if self.probe_timeout_s is not None:
            _require_number(self, "probe_timeout_s")


RETRYABLE_DEFAULT = frozenset(ErrorClass) - {ErrorClass.PERMANENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryConfig:
    """How often, how fast and for how long a call is tried.

    Args:
        max_attempts: All attempts, the first included.
        initial_delay_s: Back-off before the second attempt, seconds.
        max_delay_s: Upper bound of each back-off, jitter included, seconds; a Retry-After may
            exceed it.
        multiplier: Growth of the back-off from one attempt to the next.
        jitter: Half-width of the uniform spread around the back-off, ratio in [0, 1).
        total_timeout_s: Time for the whole call, seconds; a running attempt is cut. None: no end.
        attempt_timeout_s: Time for one attempt once it has its slot, seconds. None: no end.
        retryable: Error classes that are worth another attempt.

    Raises:
        ValueError: Names the field that is out of range.
    """

    max_attempts: int = 3  # the guide's; a third failure in a row is seldom a hiccup
    initial_delay_s: float = 0.1  # longer than a dropped connection takes to come back
    max_delay_s: float = 5.0
    multiplier: float = 2.0
    jitter: float = 0.1  # clients that failed together do not come back together
    total_timeout_s: float | None = 30.0  # the usual patience of a client behind us
    attempt_timeout_s: float | None = None
    retryable: frozenset[ErrorClass] = RETRYABLE_DEFAULT

    def __post_init__(self) -> None:
        _require_count(self, "max_attempts", minimum=1)
        for name in ("initial_delay_s", "max_delay_s"):
            _require_number(self, name)
        _require_number(self, "multiplier", minimum=1.0)
        _require_number(self, "jitter")
        if self.jitter >= 1.0:
            raise ValueError(f"jitter={self.jitter!r} must be in [0, 1)")
        for name in ("total_timeout_s", "attempt_timeout_s"):
            if getattr(self, name) is not None:
                _require_number(self, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkheadConfig:
    """How many calls run and how many wait.

    Args:
        max_concurrent: Calls that run at the same time.
        max_queue: Calls that may wait for a slot; 0 never waits.
        queue_timeout_s: Longest wait for a slot, seconds.

    Raises:
        ValueError: Names the field that is out of range.
    """

    max_concurrent: int = 10  # the lower end of the guide's 10 to 50 for network calls
    max_queue: int = 20  # two full rounds; what waits longer is better told so at once
    queue_timeout_s: float = 5.0

    def __post_init__(self) -> None:
        _require_count(self, "max_concurrent", minimum=1)
        _require_count(self, "max_queue", minimum=0)
        _require_number(self, "queue_timeout_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimiterConfig:
    """How many calls each client may make.

    Args:
        capacity: Tokens of a client that has been quiet.
        refill_rate_per_s: Tokens that come back, per second.
        burst: Most tokens that can be spent in one instant; None leaves `capacity` as the limit.
        burst_refill_s: Time in which a spent burst comes back in full, seconds.
        max_clients: Clients with a bucket of their own; any further ones share one.

    Raises:
        ValueError: Names the field that is out of range.
    """

    capacity: float = 60.0  # "60 per minute"
    refill_rate_per_s: float = 1.0
    burst: float | None = 10.0  # "up to 10 at once"
    burst_refill_s: float = 1.0
    max_clients: int = 10_000  # about 2 MB of buckets

    def __post_init__(self) -> None:
        _require_number(self, "capacity", minimum=1.0)  # less would never let a call pass
        for name in ("refill_rate_per_s", "burst_refill_s"):
            _require_positive(self, name)
        if self.burst is not None:
            _require_number(self, "burst", minimum=1.0)
            if self.burst > self.capacity:
                raise ValueError(f"burst={self.burst!r} must be <= capacity={self.capacity!r}")
        _require_count(self, "max_clients", minimum=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig:
    """Which parts a stack is made of; a part that is None is left out.

    Args:
        name: Names the stack and its parts in metrics, events and errors.
        breaker: Circuit breaker, one outcome per call.
        retry: Retries with back-off and deadline.
        bulkhead: Concurrency limit, one slot per attempt.
        limiter: Rate limit per client.
        fallback: What is served instead of an error.

    Raises:
        ValueError: If `name` is empty.
    """

    name: str
    breaker: BreakerConfig | None = None
    retry: RetryConfig | None = None
    bulkhead: BulkheadConfig | None = None
    limiter: LimiterConfig | None = None
    fallback: FallbackConfig | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name='' must not be empty; metrics and events are labelled with it")


def _require_count(config: object, name: str, *, minimum: int) -> None:
    value = getattr(config, name)
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ValueError(f"{name}={value!r} must be a whole number >= {minimum}")


def _require_number(config: object, name: str, *, minimum: float = 0.0) -> None:
    value = getattr(config, name)
    if not (math.isfinite(value) and value >= minimum):
        raise ValueError(f"{name}={value!r} must be finite and >= {minimum:g}")


def _require_positive(config: object, name: str) -> None:
    value = getattr(config, name)
    if not (math.isfinite(value) and value > 0.0):
        raise ValueError(f"{name}={value!r} must be finite and > 0")


STACK_LIMITER = LimiterConfig(capacity=100.0, refill_rate_per_s=10.0, burst=None)
"""The guide's values for a limiter inside a stack and for the clients of a public API."""

"""Every exception that the layer raises of its own accord; upstream errors pass unchanged."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """Tells how one failed attempt of a call went.

    Attributes:
        number: 1 for the first call.
        delay_s: Back-off before this attempt, seconds; 0 for the first.
        elapsed_s: How long the attempt ran, its wait for a bulkhead slot excluded, seconds.
        error: What it raised.
        retryable: Whether the class of `error` is one that is retried.
    """

    number: int
    delay_s: float
    elapsed_s: float
    error: Exception
    retryable: bool


class ResilienceError(Exception):
    """Base of everything that the layer raises of its own accord."""

    __slots__ = ()


class LocalRejection(ResilienceError):
    """The call was refused on this side; it says nothing about the upstream.

    Hence it is never a breaker failure and never retried, but always offered to the fallback.

    >>> str(CircuitOpen("portal_wi", 2.5))
    "circuit 'portal_wi' is open, try again in 2.500 s"
    """

    # No `__init__`, and a message that is built on demand: an open circuit makes thousands of
    # these a second, and a Python frame would double the price. Arguments are positional.
    __slots__ = ()

    @property
    def name(self) -> str:
        """Which breaker, bulkhead or limiter refused."""
        return str(self.args[0])

    @property
    def retry_after_s(self) -> float | None:
        """Seconds until a new call has a chance, None when nobody can tell."""
        wait_s: float | None = self.args[1] if len(self.args) > 1 else None
        return wait_s

    def __str__(self) -> str:
        hint = "" if self.retry_after_s is None else f", try again in {self.retry_after_s:.3f} s"
        return f"{self._reason()}{hint}"

    def _reason(self) -> str:
        return f"{self.name!r} refused the call"


class CircuitOpen(LocalRejection):
    """The circuit is open, or half-open with all its probes in flight (`retry_after_s` 0)."""

    __slots__ = ()

    def _reason(self) -> str:
        return f"circuit {self.name!r} is open"


class BulkheadFull(LocalRejection):
    """All slots are taken and the queue is full."""

    __slots__ = ()

    def _reason(self) -> str:
        return f"bulkhead {self.name!r} is full"


class QueueTimeout(LocalRejection):
    """The call waited for a slot as long as the bulkhead allows and got none."""

    __slots__ = ()

    def _reason(self) -> str:
        return f"bulkhead {self.name!r} had no slot in time"


class RateLimited(LocalRejection):
    """The client has used up its tokens."""

    __slots__ = ()

    def _reason(self) -> str:
        return f"rate limit of {self.name!r} exceeded"


class RetryExhausted(ResilienceError):
    """Every allowed attempt failed with a retryable error; the last one is the `__cause__`.

    Attributes:
        last_error: What the last attempt raised.
        attempts: One record per attempt, in order.
    """

    def __init__(self, last_error: Exception, attempts: tuple[AttemptRecord, ...]) -> None:
        super().__init__(last_error, attempts)
        self.last_error = last_error
        self.attempts = attempts

    def __str__(self) -> str:
        return f"all {len(self.attempts)} attempts failed, the last with {self.last_error!r}"


class DeadlineExceeded(ResilienceError):
    """The total time of a call was over, or would be before the next attempt could start.

    The last upstream error, if there was one, is the `__cause__`. It counts as a failure of the
    upstream only if an attempt had started; a call that spent its time in a queue says nothing.

    Attributes:
        name: Operation or stack whose deadline it was.
        timeout_s: The total time allowed, seconds.
        last_error: What the newest finished attempt raised, None if none had finished.
        attempts_started: How many attempts reached the upstream.
    """

    def __init__(
        self, name: str, timeout_s: float, last_error: Exception | None, attempts_started: int
    ) -> None:
        super().__init__(name, timeout_s, last_error, attempts_started)
        self.name = name
        self.timeout_s = timeout_s
        self.last_error = last_error
        self.attempts_started = attempts_started

    def __str__(self) -> str:
        return (
            f"{self.name!r} did not finish within {self.timeout_s} s"
            f" ({self.attempts_started} attempts started, last error {self.last_error!r})"
        )


class FallbackFailed(ResilienceError):
    """A fallback was tried and failed itself; the error it should have hidden is the `__cause__`.

    Attributes:
        name: Stack that the fallback belongs to.
        fallback_error: What the last failing strategy raised.
    """

    def __init__(self, name: str, fallback_error: Exception) -> None:
        super().__init__(name, fallback_error)
        self.name = name
        self.fallback_error = fallback_error

    def __str__(self) -> str:
        return f"the fallback of {self.name!r} failed with {self.fallback_error!r}"


def is_local_rejection(error: BaseException) -> bool:
    """Tell whether `error` was made on this side, without the upstream having been asked."""
    if isinstance(error, DeadlineExceeded):
        return error.attempts_started == 0
    return isinstance(error, LocalRejection)


def upstream_error(error: Exception) -> Exception:
    """Return the upstream error inside the layer's wrappers, or `error` itself.

    Bounded by the nesting of stacks; a wrapper that holds no upstream error stands for itself.
    """
    while isinstance(error, RetryExhausted | DeadlineExceeded) and error.last_error is not None:
        error = error.last_error
    return error

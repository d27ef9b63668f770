"""The stack: limiter, breaker, retry and bulkhead around a call, the fallback outside of it all."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn, ParamSpec, TypeVar, cast

from resilience.breaker import CircuitBreaker
from resilience.breaker_state import Permit
from resilience.bulkhead import Bulkhead
from resilience.calls import Attempt, Call, Source, StackResult
from resilience.clock import Clock
from resilience.configuration import BreakerConfig
from resilience.errors import LocalRejection, RateLimited, is_local_rejection
from resilience.events import Listener
from resilience.fallback import Fallback
from resilience.health import HealthLevel, health_of
from resilience.limiter import RateLimiter
from resilience.metrics import (
    Sample,
    breaker_samples,
    bulkhead_samples,
    limiter_samples,
    retry_samples,
)
from resilience.retry import Retry

P = ParamSpec("P")
T = TypeVar("T")

DEFAULT_CLIENT = "default"
"""Whose tokens a call uses when it names no client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackParts:
    """What a stack is put together from; any part but the retry may be missing.

    Args:
        retry: Makes the attempts, one of them if nothing is to be retried.
        breaker: Sees one outcome per call; may be shared between stacks.
        bulkhead: Gives each attempt its slot.
        limiter: Is asked first.
        fallback: Is asked last.
    """

    retry: Retry
    breaker: CircuitBreaker | None = None
    bulkhead: Bulkhead | None = None
    limiter: RateLimiter | None = None
    fallback: Fallback | None = None


class ResilienceStack:
    """Guards calls of one upstream: rate limit -> breaker -> retry -> bulkhead -> call.

    The fallback stands outside of all of it. A rate-limited call touches nothing else. The breaker
    sees one outcome per call, not per attempt. Each attempt takes its own slot and frees it before
    the back-off. A cancel passes through, returns slot and permit, and runs no fallback.
    Not thread-safe.

    Args:
        name: Names the stack; label of operations that have no name of their own.
        parts: What it is put together from.
        clock: The same that the parts were given.
    """

    def __init__(self, name: str, parts: StackParts, *, clock: Clock) -> None:
        self.name = name
        self.retry = parts.retry
        self.breaker = parts.breaker
        self.bulkhead = parts.bulkhead
        self.limiter = parts.limiter
        self.fallback = parts.fallback
        self._now = clock.monotonic
        config = BreakerConfig() if parts.breaker is None else parts.breaker.config
        self._window_s = config.monitoring_window_s
        self._rejected_s: float | None = None

    async def call(  # noqa: C901 - one coroutine for the usual case; each layer less is a frame less
        self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Await `fn(*args, **kwargs)` under the protection of all layers.

        The first attempt runs right here unless it needs a timer or somebody listens; whatever
        goes wrong is handed on. Tests hold both ways to the same behaviour.

        Returns:
            What `fn` returned, or what a fallback serves; use `call_detailed` to tell them apart.

        Raises:
            LocalRejection: Refused by limiter, breaker or bulkhead, and no fallback applied.
            RetryExhausted: All attempts failed, and no fallback applied.
            DeadlineExceeded: The total time was over, and no fallback applied.
            FallbackFailed: The fallback itself failed.
            Exception: A permanent error of `fn`, the same object, and no fallback applied.
        """
        retry, breaker, limiter, bulkhead = self.retry, self.breaker, self.limiter, self.bulkhead
        if retry.has_time_limit or retry.listeners.active:
            return (await self._run(self._new_call(fn, *args, **kwargs))).value
        permit = None
        now_s = self._now()
        try:
            if limiter is not None:
                wait_s = limiter.debit(DEFAULT_CLIENT, 1.0, now_s)
                if wait_s:
                    raise RateLimited(limiter.name, wait_s)  # noqa: TRY301 - a frame less
            if breaker is not None:
                permit = breaker.admit()
            if bulkhead is None:
                value = await fn(*args, **kwargs)
            else:
                entered_s = now_s if bulkhead.try_enter() else await bulkhead.wait_turn()
                try:
                    value = await fn(*args, **kwargs)
                finally:
                    bulkhead.leave(entered_s)
        except Exception as error:
            if self.fallback is None and isinstance(error, LocalRejection):
                self._record_error(permit, error)  # a storm of rejections has to stay cheap
                raise
            call = self._new_call(fn, *args, **kwargs)
            call.started_s = now_s
            return (await self._resume(call, permit, error)).value
        except BaseException:
            self._abandon(permit)
            raise
        if breaker is not None and permit is not None:
            breaker.record_success(permit)
        return value

    async def call_detailed(
        self,
        fn: Callable[[Attempt], Awaitable[T]],
        *,
        client: str | None = None,
        cache_key: str | None = None,
        operation: str | None = None,
        call_id: str | None = None,
    ) -> StackResult[T]:
        """Await `fn(attempt)` under the protection of all layers and tell where the answer is from.

        Args:
            fn: Called once per attempt, with its number and the id of the call.
            client: Whose tokens the call uses.
            cache_key: Under which a success is remembered and served when things go wrong.
            operation: Label of the call in metrics and events; the stack's name if None.
            call_id: Names the call in events; made up if None.

        Raises:
            LocalRejection: As for `call`, likewise all the others.
        """
        call = Call(
            fn,
            operation=operation or self.name,
            call_id=self.retry.new_call_id() if call_id is None else call_id,
        )
        call.client = DEFAULT_CLIENT if client is None else client
        call.cache_key = cache_key
        call.bulkhead = self.bulkhead
        call.started_s = self._now()
        return await self._run(call)

    @property
    def is_troubled(self) -> bool:
        """Whether a local rejection, or as newest outcome a failure, lies inside the window."""
        if self._rejected_s is not None and self._now() - self._rejected_s < self._window_s:
            return True
        return self.breaker is not None and self.breaker.is_failing

    def health(self) -> HealthLevel:
        """Return the health at this instant; `health_of` takes several stacks together."""
        return health_of((self,))

    def metrics(self) -> tuple[Sample, ...]:
        """Return every metric of every part at this instant."""
        return tuple(self._samples())

    def reset(self) -> None:
        """Close the circuit, set all counters to 0, refill all clients; calls in flight go on.

        The stale cache stays: it is knowledge, not state.
        """
        self._rejected_s = None
        self.retry.reset()
        for part in (self.breaker, self.bulkhead, self.limiter):
            if part is not None:
                part.reset()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of everything that any part does; call the result to end it."""
        parts = (self.retry, self.breaker, self.bulkhead, self.limiter, self.fallback)
        endings = [part.subscribe(listener) for part in parts if part is not None]

        def unsubscribe() -> None:
            for end in endings:
                end()

        return unsubscribe

    def _new_call(
        self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Call[T]:
        call = Call(
            lambda _attempt: fn(*args, **kwargs),
            operation=self.name,
            call_id=self.retry.new_call_id(),
        )
        call.client = DEFAULT_CLIENT
        call.bulkhead = self.bulkhead
        call.started_s = self._now()
        return call

    async def _run(self, call: Call[T]) -> StackResult[T]:
        try:
            permit = self._admit(call)
        except LocalRejection as rejection:
            self._record_error(None, rejection)
            if self.fallback is None:
                raise
            return await self._rescue(self.fallback, call, rejection)
        return await self._conclude(call, permit, self.retry.pursue(call))

    async def _resume(
        self, call: Call[T], permit: Permit | None, error: Exception
    ) -> StackResult[T]:
        """Go on after a first attempt that ended with `error`, or was never let in."""
        if isinstance(error, LocalRejection):
            return await self._conclude(call, permit, _raise(error))
        call.attempts = 1
        return await self._conclude(call, permit, self.retry.pursue(call, error))

    async def _conclude(
        self, call: Call[T], permit: Permit | None, attempts: Awaitable[T]
    ) -> StackResult[T]:
        try:
            value = await attempts
        except Exception as error:
            self._record_error(permit, error)
            if self.fallback is None:
                raise
            return await self._rescue(self.fallback, call, error)
        except BaseException:
            self._abandon(permit)
            raise
        if self.breaker is not None and permit is not None:
            self.breaker.record_success(permit)
        if self.fallback is not None:
            self.fallback.remember(call.cache_key, value)
        return StackResult(
            value=value,
            source=Source.PRIMARY,
            degraded=False,
            age_s=None,
            error=None,
            attempts=call.attempts,
        )

    async def _rescue(self, fallback: Fallback, call: Call[T], error: Exception) -> StackResult[T]:
        # What a fallback serves is the configuration's business; its type is the caller's claim.
        return cast("StackResult[T]", await fallback.rescue(call, error))

    def _record_error(self, permit: Permit | None, error: Exception) -> None:
        if self.breaker is not None and permit is not None:
            self.breaker.record_error(permit, error)
        if is_local_rejection(error):
            self._rejected_s = self._now()

    def _admit(self, call: Call[T]) -> Permit | None:
        if self.limiter is not None:
            self.limiter.acquire(call.client)
        return None if self.breaker is None else self.breaker.admit()

    def _abandon(self, permit: Permit | None) -> None:
        if self.breaker is not None and permit is not None:
            self.breaker.abandon(permit)

    def _samples(self) -> Iterator[Sample]:
        if self.breaker is not None:
            yield from breaker_samples(self.breaker)
        if self.bulkhead is not None:
            yield from bulkhead_samples(self.bulkhead)
        yield from retry_samples(self.retry.tallies())
        if self.limiter is not None:
            yield from limiter_samples(self.limiter)


async def _raise(error: Exception) -> NoReturn:
    raise error

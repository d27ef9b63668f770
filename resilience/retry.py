"""Retry: try again what may pass, at a decent distance, and never beyond the deadline."""

import functools
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from resilience.attempt_events import attempt_fields, ending_fields
from resilience.backoff import backoff_s
from resilience.breaker_state import Outcome
from resilience.calls import Attempt, Call
from resilience.classification import (
    Classifier,
    ErrorClass,
    class_of,
    default_classifier,
    retry_after_s,
)
from resilience.clock import Clock
from resilience.configuration import RetryConfig
from resilience.deadlines import DeadlinePassed, DeadlineTimer
from resilience.decoration import require_coroutine_function
from resilience.errors import AttemptRecord, DeadlineExceeded, LocalRejection, RetryExhausted
from resilience.events import Event, EventKind, FieldValue, Listener, Listeners
from resilience.retry_tally import RetryTallies, RetryTally

P = ParamSpec("P")
T = TypeVar("T")


class Retry:
    """Calls a function until it succeeds, fails for good, or has used up attempts or time.

    All state of a call lives in the call, so one instance serves any number of them at once.
    Only Exceptions are retried: a cancel leaves at once, from an attempt and from a back-off.
    Not thread-safe.

    Args:
        name: Names the operation where the caller does not.
        config: Attempts, back-off, time limits.
        clock: Waits the back-offs and reads the time.
        rng: Draws the jitter.
        classifier: Decides what may be retried; if it raises, the error counts as permanent.
        listener: Hears of attempts; more can subscribe.

    Attributes:
        has_time_limit: Whether a call or an attempt may be cut.
    """

    def __init__(
        self,
        name: str,
        config: RetryConfig,
        *,
        clock: Clock,
        rng: random.Random,
        classifier: Classifier = default_classifier,
        listener: Listener | None = None,
    ) -> None:
        self.name = name
        self.config = config
        self.listeners = Listeners(listener)
        self._clock = clock
        self._now = clock.monotonic
        self._rng = rng
        self._classifier = classifier
        self._call_timer = _timer(config.total_timeout_s)
        self._attempt_timer = _timer(config.attempt_timeout_s)
        self.has_time_limit = self._call_timer is not None or self._attempt_timer is not None
        self._tallies = RetryTallies()
        self._calls = 0

    async def call(self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Await `fn(*args, **kwargs)` as often as it takes.

        Raises:
            RetryExhausted: All attempts failed; the last error is the `__cause__`.
            DeadlineExceeded: The time was over; the last error, if any, is the `__cause__`.
            Exception: What `fn` raised, the same object, if its class is not retryable.
        """
        if self.has_time_limit or self.listeners.active:
            return await self.pursue(self._new_call(fn, *args, **kwargs))
        started_s = self._now()
        try:
            return await fn(*args, **kwargs)
        except LocalRejection:
            raise
        except Exception as error:  # noqa: BLE001 - judged by `pursue`, which raises it again
            call = self._new_call(fn, *args, **kwargs)
            call.started_s = started_s
            call.attempts = 1
            return await self.pursue(call, error)

    def __call__(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Decorate a coroutine function; TypeError for anything else."""
        require_coroutine_function(fn)

        @functools.wraps(fn)
        async def retried(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.call(fn, *args, **kwargs)

        return retried

    def new_call_id(self) -> str:
        """Return a name for a call whose caller gave none."""
        self._calls += 1
        return f"{self.name}-{self._calls}"

    async def pursue(self, call: Call[T], first_error: Exception | None = None) -> T:
        """Run the attempts of `call`; `first_error` is the end of one that was made already.

        Raises:
            RetryExhausted: As for `call`.
            DeadlineExceeded: As for `call`.
            Exception: As for `call`.
        """
        if first_error is None:
            attempts = self._attempts(call)
        else:
            self._note_failure(call, first_error, call.started_s)
            attempts = self._attempts_after(call, first_error)
        if self._call_timer is None:
            return await attempts
        call.deadline = self._call_timer.start()
        try:
            return await self._call_timer.bound(call.deadline, attempts)
        except DeadlinePassed:
            raise self._deadline_exceeded(call) from call.last_error

    def tallies(self) -> tuple[RetryTally, ...]:
        """Return the counts by operation."""
        return self._tallies.all()

    def reset(self) -> None:
        """Set all counts to 0."""
        self._tallies.clear()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of attempts from now on; call the result to end it."""
        return self.listeners.subscribe(listener)

    def _new_call(
        self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Call[T]:
        call = Call(
            lambda _attempt: fn(*args, **kwargs), operation=self.name, call_id=self.new_call_id()
        )
        call.started_s = self._now()
        return call

    async def _attempts_after(self, call: Call[T], error: Exception) -> T:
        if not call.records[-1].retryable:
            raise error
        await self._pause(call, self._next_delay_s(call, error))
        return await self._attempts(call)

    async def _attempts(self, call: Call[T]) -> T:
        while True:  # bounded: `_next_delay_s` raises when attempts or time are used up
            try:
                value = await self._attempt(call)
            except LocalRejection:
                raise
            except Exception as error:
                if not call.records[-1].retryable:
                    raise
                delay_s = self._next_delay_s(call, error)
            else:
                if call.records:
                    self._settle(call).successes += 1
                return value
            await self._pause(call, delay_s)

    async def _attempt(self, call: Call[T]) -> T:
        bulkhead = call.bulkhead
        entered_s = self._now() if bulkhead is None else await bulkhead.enter()
        attempt = call.begin_attempt()
        outcome = Outcome.ABANDONED
        try:
            value = await self._in_time(call, attempt)
            outcome = Outcome.OK
        except Exception as error:
            outcome = Outcome.FAILED
            self._note_failure(call, error, entered_s)
            raise
        finally:
            if bulkhead is not None:
                bulkhead.leave(entered_s)
            self._announce_attempt(call, outcome, entered_s)
        return value

    async def _in_time(self, call: Call[T], attempt: Attempt) -> T:
        if self._attempt_timer is None:
            return await call.fn(attempt)
        deadline = self._attempt_timer.start()
        try:
            return await self._attempt_timer.bound(deadline, call.fn(attempt))
        except DeadlinePassed:
            limit_s = self._attempt_timer.allowance_s
            raise TimeoutError(f"attempt {attempt.number} took longer than {limit_s} s") from None

    def _next_delay_s(self, call: Call[T], error: Exception) -> float:
        """Return the back-off before the next attempt, or raise what the call ends with."""
        if call.attempts >= self.config.max_attempts:
            raise self._exhausted(call, error) from error
        floor_s = retry_after_s(error, self._clock.wall())
        delay_s = backoff_s(self.config, call.attempts, self._rng, floor_s=floor_s)
        if self._ends_within(call, delay_s):
            raise self._deadline_exceeded(call) from error
        return delay_s

    async def _pause(self, call: Call[T], delay_s: float) -> None:
        call.delay_s = delay_s
        await self._clock.sleep(delay_s)
        self._tallies.of(call.operation).attempts += 1

    def _ends_within(self, call: Call[T], delay_s: float) -> bool:
        total_s = self.config.total_timeout_s
        return total_s is not None and self._now() + delay_s >= call.started_s + total_s

    def _note_failure(self, call: Call[T], error: Exception, entered_s: float) -> None:
        call.records.append(
            AttemptRecord(
                number=call.attempts,
                delay_s=call.delay_s,
                elapsed_s=self._now() - entered_s,
                error=error,
                retryable=self.classify(error) in self.config.retryable,
            )
        )

    def classify(self, error: Exception) -> ErrorClass:
        """Return the class of `error`; permanent if the classifier itself fails."""
        return class_of(error, self._classifier, self.listeners)

    def _exhausted(self, call: Call[T], error: Exception) -> RetryExhausted:
        self._settle(call).exhausted += 1
        self._announce_end(EventKind.RETRY_EXHAUSTED, call, error)
        return RetryExhausted(error, tuple(call.records))

    def _deadline_exceeded(self, call: Call[T]) -> DeadlineExceeded:
        self._settle(call).deadline_exceeded += 1
        self._announce_end(EventKind.DEADLINE_EXCEEDED, call, call.last_error)
        total_s = self.config.total_timeout_s or 0.0
        return DeadlineExceeded(call.operation, total_s, call.last_error, call.attempts)

    def _settle(self, call: Call[T]) -> RetryTally:
        tally = self._tallies.of(call.operation)
        tally.add_latency(self._now() - call.started_s)
        return tally

    def _announce_attempt(self, call: Call[T], outcome: Outcome, started_s: float) -> None:
        if self.listeners.active:
            has_failed = outcome is Outcome.FAILED
            error_class = self.classify(call.records[-1].error) if has_failed else None
            fields = attempt_fields(call, outcome, error_class, started_s)
            self._announce(EventKind.ATTEMPT_ENDED, fields)

    def _announce_end(self, kind: EventKind, call: Call[T], error: Exception | None) -> None:
        if self.listeners.active:
            error_class = None if error is None else self.classify(error)
            self._announce(kind, ending_fields(call, error_class))

    def _announce(self, kind: EventKind, fields: dict[str, FieldValue]) -> None:
        self.listeners.announce(
            Event(kind=kind, component=self.name, time_s=self._now(), fields=fields)
        )


def _timer(allowance_s: float | None) -> DeadlineTimer | None:
    return None if allowance_s is None else DeadlineTimer(allowance_s)

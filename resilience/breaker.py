"""Circuit breaker: stop calling an upstream that fails, and try it out before trusting it again."""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from resilience.breaker_events import transition_events
from resilience.breaker_state import BreakerSnapshot, BreakerState, Outcome, Permit
from resilience.clock import Clock
from resilience.configuration import BreakerConfig
from resilience.decoration import require_coroutine_function
from resilience.errors import CircuitOpen, is_local_rejection, upstream_error
from resilience.events import Listener, Listeners
from resilience.guards import BreakerGuard
from resilience.trip_rule import TripRule

P = ParamSpec("P")
T = TypeVar("T")


class CircuitBreaker:
    """Guards one upstream; one outcome is recorded per guarded call.

    Every admission hands out a permit of the present era. An outcome is applied only if its era is
    still the present one, so a slow answer from before an outage neither closes nor opens
    anything. The state is computed from the time: it reads `half_open` as soon as the open
    duration is over, while transition and event happen at the next admission.

    Not thread-safe: no `await` separates a check from its record, so one event loop needs no lock.

    Args:
        name: Names the breaker in errors, events and metrics.
        config: Thresholds and times.
        clock: The only source of time.
        listener: Hears of transitions; more can subscribe.
    """

    def __init__(
        self, name: str, config: BreakerConfig, *, clock: Clock, listener: Listener | None = None
    ) -> None:
        self.name = name
        self.config = config
        self.listeners = Listeners(listener)
        self._clock = clock
        self._now = clock.monotonic
        self._rule = TripRule(config)
        self._probe_timeout_s = (
            config.open_duration_s if config.probe_timeout_s is None else config.probe_timeout_s
        )
        self._successes = self._failures = self._rejections = 0
        self._ignored = self._abandoned = self._late = self._state_changes = 0
        self._consecutive_failures = self._probe_successes = 0
        self._probes: dict[Permit, None] = {}  # in order of admission, so the oldest is first
        self._changed_unix_s = clock.wall()
        self._left_closed_unix_s = 0.0
        self._state = BreakerState.CLOSED
        self._generation = 0
        self._half_open_from_s = 0.0
        self._shared: Permit | None = None  # the permit of a closed era
        self._quiet: Permit | None = None  # the same, while a success needs no bookkeeping
        self._enter(BreakerState.CLOSED)

    @property
    def state(self) -> BreakerState:
        """The state that a call arriving now would meet; reading changes nothing."""
        if self._state is BreakerState.OPEN and self._now() >= self._half_open_from_s:
            return BreakerState.HALF_OPEN
        return self._state

    @property
    def is_failing(self) -> bool:
        """Whether the newest outcome inside the monitoring window is a failure."""
        return self._rule.newest_is_fresh_failure(self._now())

    async def call(self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Await `fn(*args, **kwargs)` under guard.

        Raises:
            CircuitOpen: The call was refused; `fn` did not run.
        """
        permit = self._shared or self.admit()
        try:
            value = await fn(*args, **kwargs)
        except Exception as error:
            self.record_error(permit, error)
            raise
        except BaseException:
            self.abandon(permit)
            raise
        if permit is self._quiet:
            self._successes += 1
        else:
            self.record_success(permit)
        return value

    def __call__(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Decorate a coroutine function; TypeError for anything else."""
        require_coroutine_function(fn)

        @functools.wraps(fn)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            # The body of `call`, repeated: one more frame would cost a third of the whole guard.
            permit = self._shared or self.admit()
            try:
                value = await fn(*args, **kwargs)
            except Exception as error:
                self.record_error(permit, error)
                raise
            except BaseException:
                self.abandon(permit)
                raise
            if permit is self._quiet:
                self._successes += 1
            else:
                self.record_success(permit)
            return value

        return guarded

    def guard(self) -> BreakerGuard:
        """Return a context for `async with`; entering it asks for a permit."""
        return BreakerGuard(self)

    def admit(self) -> Permit:
        """Return a permit, to be given back by exactly one of the `record_*` methods or `abandon`.

        Raises:
            CircuitOpen: A fresh one per call, with the time until the next probe is allowed.
        """
        if self._shared is not None:
            return self._shared
        now_s = self._now()
        if self._state is BreakerState.OPEN:
            if now_s < self._half_open_from_s:
                self._rejections += 1
                raise CircuitOpen(self.name, self._half_open_from_s - now_s)
            return self._admit_first_probe(now_s)
        if len(self._probes) >= self.config.half_open_max_calls:
            self._make_room_for_probe(now_s)
        permit = Permit(self._generation, now_s)
        self._probes[permit] = None
        return permit

    def record_success(self, permit: Permit) -> None:
        """Apply a success, unless its era is over."""
        if permit is self._quiet:
            self._successes += 1
        elif permit is self._shared:
            self._successes += 1
            self._consecutive_failures = 0
            if self._rule.counts_successes:
                self._rule.add_success(self._now())
            else:
                self._rule.clear()
                self._quiet = permit
        elif permit in self._probes:
            self._apply_probe_success(permit)
        else:
            self._late += 1

    def record_error(self, permit: Permit, error: Exception) -> Outcome:
        """Judge what a call raised and apply it; return what it was taken for.

        The layer's own wrappers are opened first: judged is the upstream error inside.
        """
        is_current = permit is self._shared or permit in self._probes
        if not is_current:
            self._late += 1
            return Outcome.LATE
        if is_local_rejection(error) or self._is_excluded(upstream_error(error)):
            self._probes.pop(permit, None)
            self._ignored += 1
            return Outcome.IGNORED
        self._apply_failure(permit)
        return Outcome.FAILED

    def abandon(self, permit: Permit) -> None:
        """Give a permit back without an outcome; a cancel says nothing about the upstream."""
        self._probes.pop(permit, None)
        self._abandoned += 1

    def reset(self) -> None:
        """Close the circuit; calls in flight go on and their outcomes are late."""
        self._move_to(BreakerState.CLOSED, "reset")

    def force(self, state: BreakerState) -> None:
        """Put the circuit into `state` as if it had come there now; an open one times out as usual.

        Calls in flight go on and their outcomes are late.
        """
        self._move_to(state, "forced")

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of transitions from now on; call the result to end it."""
        return self.listeners.subscribe(listener)

    def snapshot(self) -> BreakerSnapshot:
        """Return state and counts at this instant; changes nothing."""
        return BreakerSnapshot(
            name=self.name,
            state=self.state,
            generation=self._generation,
            consecutive_failures=self._consecutive_failures,
            probes_in_flight=len(self._probes),
            successes=self._successes,
            failures=self._failures,
            rejections=self._rejections,
            ignored=self._ignored,
            abandoned=self._abandoned,
            late=self._late,
            state_changes=self._state_changes,
            last_state_change_unix_s=self._changed_unix_s,
            not_closed_since_unix_s=self._left_closed_unix_s,
        )

    def _is_excluded(self, error: Exception) -> bool:
        if isinstance(error, self.config.excluded):
            return True
        if self.config.excluded_if is None:
            return False
        try:
            return self.config.excluded_if(error)
        except Exception:  # noqa: BLE001 - a broken predicate must not cost the probe its slot
            self.listeners.errors += 1
            return False

    def _admit_first_probe(self, now_s: float) -> Permit:
        from_state = self._state
        self._enter(BreakerState.HALF_OPEN)
        permit = Permit(self._generation, now_s)
        self._probes[permit] = None  # before anybody hears of it: a listener may start calls
        self._announce(from_state, "open_duration_elapsed")
        return permit

    def _make_room_for_probe(self, now_s: float) -> None:
        oldest = next(iter(self._probes))
        if now_s - oldest.started_s < self._probe_timeout_s:
            self._rejections += 1
            raise CircuitOpen(self.name, 0.0)
        del self._probes[oldest]  # hung; it decides nothing, and its answer will be late

    def _apply_probe_success(self, permit: Permit) -> None:
        del self._probes[permit]
        self._successes += 1
        self._consecutive_failures = 0
        self._probe_successes += 1
        if self._probe_successes >= self.config.success_threshold:
            self._move_to(BreakerState.CLOSED, "probes_succeeded")

    def _apply_failure(self, permit: Permit) -> None:
        self._failures += 1
        self._consecutive_failures += 1
        if permit is not self._shared:
            self._move_to(BreakerState.OPEN, "probe_failed")
            return
        self._quiet = None
        if self._rule.add_failure(self._now()):
            self._move_to(BreakerState.OPEN, "failure_threshold")

    def _move_to(self, state: BreakerState, reason: str) -> None:
        from_state = self._state
        self._enter(state)
        if from_state is not state:
            self._announce(from_state, reason)

    def _enter(self, state: BreakerState) -> None:
        """Start a new era in `state`; nothing of the old one is left to decide anything."""
        now_s, wall_s = self._now(), self._clock.wall()
        if state is not self._state:
            self._state_changes += 1
            self._changed_unix_s = wall_s
            if self._state is BreakerState.CLOSED:
                self._left_closed_unix_s = wall_s
        if state is BreakerState.CLOSED:
            self._left_closed_unix_s = 0.0
            self._consecutive_failures = 0
        self._state = state
        self._generation += 1
        self._rule.clear()
        self._probes.clear()
        self._probe_successes = 0
        self._half_open_from_s = now_s + self.config.open_duration_s
        is_closed = state is BreakerState.CLOSED
        self._shared = Permit(self._generation, now_s) if is_closed else None
        self._quiet = None if self._rule.counts_successes else self._shared

    def _announce(self, from_state: BreakerState, reason: str) -> None:
        if not self.listeners.active:
            return
        events = transition_events(
            self.name,
            (from_state, self._state),
            generation=self._generation,
            reason=reason,
            time_s=self._now(),
        )
        for event in events:
            self.listeners.announce(event)

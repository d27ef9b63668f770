"""Bulkhead: a bounded number of calls run, a bounded number wait, the rest is refused."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from resilience.clock import Clock
from resilience.configuration import BulkheadConfig
from resilience.decoration import require_coroutine_function
from resilience.errors import BulkheadFull, QueueTimeout
from resilience.events import Event, EventKind, Listener, Listeners
from resilience.guards import Slot

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkheadStats:
    """What a bulkhead is doing and has done.

    Attributes:
        name: Of the bulkhead.
        active: Calls that hold a slot.
        queued: Calls that wait for one; a cancelled waiter no longer counts.
        rejected: Calls turned away, full queue and queue timeout together.
        timed_out: Those of `rejected` that waited in vain.
        completed: Calls that gave their slot back, however they ended.
        avg_execution_s: Mean time a slot was held, seconds; 0 before the first.
        max_concurrent: The limit on `active`.
        max_queue: The limit on `queued`.
    """

    name: str
    active: int
    queued: int
    rejected: int
    timed_out: int
    completed: int
    avg_execution_s: float
    max_concurrent: int
    max_queue: int


class Bulkhead:
    """Limits concurrency, first come, first served.

    A finishing call hands its slot to the oldest live waiter without lowering the active count, so
    nobody can overtake between release and wake-up. Not thread-safe.

    Args:
        name: Names the bulkhead in errors, events and metrics.
        config: Limits.
        clock: Measures execution times; the queue timeout is a timer of the running loop.
        listener: Hears of every decision; more can subscribe.
    """

    def __init__(
        self, name: str, config: BulkheadConfig, *, clock: Clock, listener: Listener | None = None
    ) -> None:
        self.name = name
        self.config = config
        self.listeners = Listeners(listener)
        self._now = clock.monotonic
        self._max_concurrent = config.max_concurrent
        self._active = 0
        # Waiters in order of arrival; the result tells a granted slot (True) from a timeout.
        self._queue: dict[asyncio.Future[bool], None] = {}
        self._rejected = self._timed_out = self._completed = 0
        self._busy_s = 0.0

    async def call(self, fn: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Await `fn(*args, **kwargs)` in a slot.

        Raises:
            BulkheadFull: All slots and all places in the queue are taken.
            QueueTimeout: No slot came free in time.
        """
        entered_s = await self.enter()
        try:
            return await fn(*args, **kwargs)
        finally:
            self.leave(entered_s)

    def __call__(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Decorate a coroutine function; TypeError for anything else."""
        require_coroutine_function(fn)

        @functools.wraps(fn)
        async def limited(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.call(fn, *args, **kwargs)

        return limited

    def slot(self) -> Slot:
        """Return a context for `async with` that holds a slot."""
        return Slot(self)

    async def enter(self) -> float:
        """Take a slot, waiting if need be; return when it was taken, for `leave`.

        Raises:
            BulkheadFull: All slots and all places in the queue are taken.
            QueueTimeout: No slot came free in time.
        """
        if self.try_enter():
            return self._now()
        return await self.wait_turn()

    def try_enter(self) -> bool:
        """Take a slot if one is free, without waiting."""
        if self._active >= self._max_concurrent:
            return False
        self._active += 1
        if self.listeners.active:
            self._announce(EventKind.BULKHEAD_ADMITTED)
        return True

    async def wait_turn(self) -> float:
        """Queue for a slot; return when it was taken.

        Raises:
            BulkheadFull: The queue is full.
            QueueTimeout: No slot came free in time.
        """
        self._require_room()
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._queue[waiter] = None
        if self.listeners.active:
            self._announce(EventKind.BULKHEAD_QUEUED)
        timer = loop.call_later(self.config.queue_timeout_s, self._expire, waiter)
        try:
            is_granted = await waiter
        except BaseException:
            self._give_up(waiter)
            raise
        finally:
            timer.cancel()
        if not is_granted:
            raise QueueTimeout(self.name)
        return self._now()

    def leave(self, entered_s: float) -> None:
        """Give a slot back; it goes to the oldest live waiter, if there is one."""
        self._completed += 1
        self._busy_s += self._now() - entered_s
        if self._queue or self.listeners.active:
            self._hand_over()
        else:
            self._active -= 1

    def stats(self) -> BulkheadStats:
        """Return counts at this instant."""
        return BulkheadStats(
            name=self.name,
            active=self._active,
            queued=self._queued(),
            rejected=self._rejected,
            timed_out=self._timed_out,
            completed=self._completed,
            avg_execution_s=self._busy_s / self._completed if self._completed else 0.0,
            max_concurrent=self.config.max_concurrent,
            max_queue=self.config.max_queue,
        )

    def reset(self) -> None:
        """Set the counters to 0; running calls keep their slots and waiters their places."""
        self._rejected = self._timed_out = self._completed = 0
        self._busy_s = 0.0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of every decision from now on; call the result to end it."""
        return self.listeners.subscribe(listener)

    def _queued(self) -> int:
        return sum(not waiter.done() for waiter in self._queue)

    def _require_room(self) -> None:
        # Cancelled waiters stand in the table until their task runs again; they take no place.
        if len(self._queue) < self.config.max_queue or self._queued() < self.config.max_queue:
            return
        self._rejected += 1
        if self.listeners.active:
            self._announce(EventKind.BULKHEAD_REJECTED)
        raise BulkheadFull(self.name)

    def _expire(self, waiter: asyncio.Future[bool]) -> None:
        if waiter.done():
            return  # granted or cancelled at this very instant: whoever came first has decided
        del self._queue[waiter]
        self._rejected += 1
        self._timed_out += 1
        waiter.set_result(False)
        if self.listeners.active:
            self._announce(EventKind.BULKHEAD_TIMED_OUT)

    def _give_up(self, waiter: asyncio.Future[bool]) -> None:
        self._queue.pop(waiter, None)
        if waiter.done() and not waiter.cancelled() and waiter.result():
            self._hand_over()  # granted, then cancelled before it ran: the slot passes on

    def _hand_over(self) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            self._active -= 1
        else:
            waiter.set_result(True)
        if self.listeners.active:
            self._announce(EventKind.BULKHEAD_RELEASED)
            if waiter is not None:
                self._announce(EventKind.BULKHEAD_ADMITTED)

    def _next_waiter(self) -> asyncio.Future[bool] | None:
        while self._queue:
            waiter = next(iter(self._queue))
            del self._queue[waiter]
            if not waiter.done():
                return waiter
        return None

    def _announce(self, kind: EventKind) -> None:
        self.listeners.announce(
            Event(
                kind=kind,
                component=self.name,
                time_s=self._now(),
                fields={
                    "active": self._active,
                    "queued": self._queued(),
                    "max_concurrent": self.config.max_concurrent,
                    "max_queue": self.config.max_queue,
                },
            )
        )

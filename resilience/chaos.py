"""In-process fault injection: make a call go wrong on purpose, reproducibly.

It stands around the innermost call, inside of everything that is to cope with it. Faults of the
network proper belong to a proxy; this is for unit tests and for what a proxy cannot do.
"""

import asyncio
import errno
import functools
import hashlib
import os
import random
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, ParamSpec, TypeVar, Unpack, assert_never, cast

from resilience.calls import Attempt
from resilience.chaos_plan import ChaosFault, ChaosPlan, ChaosSettings, InjectedUpstreamError
from resilience.clock import Clock, thread_cpu_s
from resilience.corruption import corrupted
from resilience.decoration import require_coroutine_function
from resilience.events import Event, EventKind, Listener, Listeners

P = ParamSpec("P")
T = TypeVar("T")

_DELAY_S = 1.0  # of network_delay, when none is configured
_PAGE_BYTES = 4096
_BURN_BLOCK = bytes(64 * 1024)  # hashed once in about 0.1 ms
_BURN_BLOCKS_PER_SLICE = 20  # then the loop gets a turn: the fault is a busy machine, not a hang
_MAX_SLICES = 100_000
_MAX_KEYS = 10_000  # calls whose attempts are counted at the same time


class ChaosFaultInjector:
    """Injects configured faults into the calls that are wrapped.

    Faults that act on the same call are applied in the order of `ChaosFault`, but damage to the
    answer comes last, since there has to be one. Each fault draws from a generator of its own, so
    enabling one moves no draw of another. Not thread-safe.

    Args:
        enabled: Master switch; False lets every call pass untouched.
        rng: Seeds the generators of the faults.
        clock: Waits the delays.
        listener: Hears of each fault that acts; more can subscribe.
        cpu_s: Tells how much processor time this thread has used.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        rng: random.Random,
        clock: Clock,
        listener: Listener | None = None,
        cpu_s: Callable[[], float] = thread_cpu_s,
    ) -> None:
        self.enabled = enabled
        self.listeners = Listeners(listener)
        self._clock = clock
        self._cpu_s = cpu_s
        self._plans: dict[ChaosFault, ChaosPlan] = {}
        self._rngs = {fault: random.Random(rng.getrandbits(64)) for fault in ChaosFault}
        self._counts = dict.fromkeys(ChaosFault, 0)
        self._attempts: OrderedDict[str, int] = OrderedDict()

    def configure(self, fault: ChaosFault | str, /, **settings: Unpack[ChaosSettings]) -> None:
        """Set what `fault` does from now on; a setting that is not given has its default.

        Raises:
            ValueError: If there is no such fault, or a setting is out of range.
        """
        self._plans[ChaosFault(fault)] = ChaosPlan(**settings)

    def clear(self) -> None:
        """Forget all plans; every call passes untouched."""
        self._plans.clear()

    def counts(self) -> Mapping[ChaosFault, int]:
        """Return how often each fault has acted."""
        return dict(self._counts)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of each fault that acts; call the result to end it."""
        return self.listeners.subscribe(listener)

    def wrap(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Decorate a coroutine function; all its calls share one key for `fail_first`."""
        require_coroutine_function(fn)
        key = getattr(fn, "__qualname__", type(fn).__qualname__)

        @functools.wraps(fn)
        async def shaken(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.run(functools.partial(fn, *args, **kwargs), key=key)

        return shaken

    def wrap_attempt(
        self, fn: Callable[[Attempt], Awaitable[T]]
    ) -> Callable[[Attempt], Coroutine[Any, Any, T]]:
        """Wrap what `ResilienceStack.call_detailed` calls; the call id is the key."""

        async def shaken(attempt: Attempt) -> T:
            return await self.run(functools.partial(fn, attempt), key=attempt.call_id)

        return shaken

    async def run(self, work: Callable[[], Awaitable[T]], *, key: str) -> T:
        """Await `work()` and let the due faults act on it.

        Args:
            work: Makes the awaitable; not called when a fault stands in its place.
            key: The call, or whatever `fail_first` is to count attempts of.
        """
        if not self.enabled or not self._plans:
            return await work()
        due = self._due(key)
        held = []
        for fault, plan in due:
            self._announce(fault, key)
            held.append(await self._act(fault, plan))
        value = await work()
        for fault, plan in due:
            if fault is ChaosFault.DATA_CORRUPTION:
                rng = self._rngs[fault]
                value = cast("T", corrupted(value, rng, places=max(1, plan.size_bytes)))
        return value

    def _due(self, key: str) -> list[tuple[ChaosFault, ChaosPlan]]:
        attempt = self._count_attempt(key)
        due = []
        for fault in ChaosFault:
            plan = self._plans.get(fault)
            if plan is None or not plan.enabled:
                continue
            draw = self._rngs[fault].random()
            is_due = (
                draw < plan.probability if plan.fail_first is None else attempt <= plan.fail_first
            )
            if is_due:
                due.append((fault, plan))
        return due

    def _count_attempt(self, key: str) -> int:
        attempt = self._attempts.pop(key, 0) + 1
        self._attempts[key] = attempt
        if len(self._attempts) > _MAX_KEYS:
            self._attempts.popitem(last=False)
        return attempt

    async def _act(self, fault: ChaosFault, plan: ChaosPlan) -> bytearray | None:
        match fault:
            case ChaosFault.NETWORK_FAILURE:
                raise _network_error(plan)
            case ChaosFault.NETWORK_DELAY:
                await self._clock.sleep(_DELAY_S if plan.delay_s is None else plan.delay_s)
            case ChaosFault.UPSTREAM_ERROR:
                raise _upstream_error(plan)
            case ChaosFault.DATA_CORRUPTION:
                pass  # acts on the answer
            case ChaosFault.TIMEOUT:
                await self._hang(plan)
            case ChaosFault.RESOURCE_EXHAUSTION:
                return await self._exhaust(plan)
            case _:
                assert_never(fault)
        return None

    async def _hang(self, plan: ChaosPlan) -> None:
        if plan.delay_s is None:
            await asyncio.get_running_loop().create_future()  # until somebody cancels
        else:
            await self._clock.sleep(plan.delay_s)
        raise _made(plan, TimeoutError, "injected timeout")

    async def _exhaust(self, plan: ChaosPlan) -> bytearray:
        """Burn processor time, then return the memory that the call has to hold."""
        memory = bytearray(plan.size_bytes)
        memory[::_PAGE_BYTES] = b"\x01" * len(range(0, plan.size_bytes, _PAGE_BYTES))
        burnt_s = 0.0
        for _ in range(_MAX_SLICES):
            if burnt_s >= plan.cpu_s:
                break
            started_s = self._cpu_s()
            for _ in range(_BURN_BLOCKS_PER_SLICE):
                hashlib.blake2b(_BURN_BLOCK).digest()
            burnt_s += self._cpu_s() - started_s
            await asyncio.sleep(0)
        return memory

    def _announce(self, fault: ChaosFault, key: str) -> None:
        self._counts[fault] += 1
        if self.listeners.active:
            self.listeners.announce(
                Event(
                    kind=EventKind.CHAOS_INJECTED,
                    component="chaos",
                    time_s=self._clock.monotonic(),
                    fields={"fault": fault.value, "call_id": key},
                )
            )


def _network_error(plan: ChaosPlan) -> Exception:
    if isinstance(plan.error, str):
        number = getattr(errno, plan.error, None)
        if isinstance(number, int):
            return OSError(number, os.strerror(number))  # Python picks the subclass by the number
    return _made(plan, ConnectionResetError, "injected network failure")


def _upstream_error(plan: ChaosPlan) -> Exception:
    return _made(
        plan,
        lambda message: InjectedUpstreamError(message, plan.status),
        "injected upstream error",
    )


def _made(plan: ChaosPlan, make: Callable[[str], Exception], message: str) -> Exception:
    if plan.error is None:
        return make(message)
    return make(plan.error) if isinstance(plan.error, str) else plan.error()

"""The `async with` forms of breaker and bulkhead; each context serves one block."""

from types import TracebackType
from typing import Literal, Protocol

from resilience.breaker_state import Outcome, Permit


class Admission(Protocol):
    """What a breaker offers around a call."""

    name: str

    def admit(self) -> Permit:
        """Return a permit, or raise CircuitOpen."""
        ...

    def record_success(self, permit: Permit) -> None:
        """Give the permit back after a success."""
        ...

    def record_error(self, permit: Permit, error: Exception) -> Outcome:
        """Give the permit back after an error."""
        ...

    def abandon(self, permit: Permit) -> None:
        """Give the permit back without an outcome."""
        ...


class Slots(Protocol):
    """What a bulkhead offers around a call."""

    name: str

    async def enter(self) -> float:
        """Take a slot and return when that was."""
        ...

    def leave(self, entered_s: float) -> None:
        """Give the slot back."""
        ...


class BreakerGuard:
    """Guards the body of one `async with` like `CircuitBreaker.call` guards one call."""

    __slots__ = ("_breaker", "_permit")

    def __init__(self, breaker: Admission) -> None:
        self._breaker = breaker
        self._permit: Permit | None = None

    async def __aenter__(self) -> Permit:
        if self._permit is not None:
            raise RuntimeError(f"guard of {self._breaker.name!r} is used twice; make one per block")
        self._permit = self._breaker.admit()
        return self._permit

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        if self._permit is None:
            raise RuntimeError(f"guard of {self._breaker.name!r} was left but never entered")
        if error is None:
            self._breaker.record_success(self._permit)
        elif isinstance(error, Exception):
            self._breaker.record_error(self._permit, error)
        else:
            self._breaker.abandon(self._permit)
        return False


class Slot:
    """Holds a slot of a bulkhead for the body of one `async with`."""

    __slots__ = ("_entered_s", "_slots")

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._entered_s: float | None = None

    async def __aenter__(self) -> None:
        if self._entered_s is not None:
            raise RuntimeError(f"slot of {self._slots.name!r} is used twice; make one per block")
        self._entered_s = await self._slots.enter()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._entered_s is None:
            raise RuntimeError(f"slot of {self._slots.name!r} was left but never entered")
        self._slots.leave(self._entered_s)

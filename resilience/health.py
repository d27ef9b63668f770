"""Health: one level for one stack or for many, computed when it is read."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from resilience.breaker import CircuitBreaker
from resilience.breaker_state import BreakerState


class HealthLevel(StrEnum):
    """How well things are, from best to worst."""

    HEALTHY = "healthy"
    DEGRADED_MINOR = "degraded_minor"
    DEGRADED_MAJOR = "degraded_major"
    CRITICAL = "critical"


class Examined(Protocol):
    """What health is computed from."""

    @property
    def breaker(self) -> CircuitBreaker | None:
        """The breaker, if there is one."""
        ...

    @property
    def is_troubled(self) -> bool:
        """Whether something went wrong inside the monitoring window."""
        ...


_CAPACITY_BY_STATE = {
    BreakerState.CLOSED: 1.0,
    BreakerState.HALF_OPEN: 0.5,
    BreakerState.OPEN: 0.0,
}
_MINOR_CAPACITY = 0.8  # above: a single circuit of six or more is open
_MAJOR_CAPACITY = 0.5  # from here on half of what the system can do is still there


def health_of(stacks: Iterable[Examined]) -> HealthLevel:
    """Return the common health of `stacks`; no level outlives its cause.

    Capacity is the mean over the distinct breakers: closed 1, half-open 0.5, open 0. Below 0.5 it
    is critical, up to 0.8 degraded_major, else degraded_minor. At full capacity a stack that is
    troubled makes it degraded_minor.
    """
    examined = tuple(stacks)
    breakers = {id(each.breaker): each.breaker for each in examined if each.breaker is not None}
    weights = [_CAPACITY_BY_STATE[breaker.state] for breaker in breakers.values()]
    capacity = sum(weights) / len(weights) if weights else 1.0
    if capacity < _MAJOR_CAPACITY:
        return HealthLevel.CRITICAL
    if capacity <= _MINOR_CAPACITY:
        return HealthLevel.DEGRADED_MAJOR
    if capacity < 1.0 or any(each.is_troubled for each in examined):
        return HealthLevel.DEGRADED_MINOR
    return HealthLevel.HEALTHY

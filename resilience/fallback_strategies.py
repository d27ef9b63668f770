"""What can be served instead of an error; strategies are values, tried in the order given."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticValue:
    """Serve `value`; None is a value like any other."""

    value: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeStale:
    """Serve the newest earlier success of the same cache key.

    Args:
        max_age_s: Oldest answer that is still served, seconds.
        max_entries: Keys that are remembered; the least recently stored goes first.

    Raises:
        ValueError: Names the field that is out of range.
    """

    max_age_s: float = 3600.0  # district boundaries change by the year, trust in them by the hour
    max_entries: int = 10_000

    def __post_init__(self) -> None:
        if not (math.isfinite(self.max_age_s) and self.max_age_s >= 0.0):
            raise ValueError(f"max_age_s={self.max_age_s!r} must be finite and >= 0")
        if self.max_entries < 1:
            raise ValueError(f"max_entries={self.max_entries!r} must be a whole number >= 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class DegradedService:
    """Serve what `answer` returns; it is awaited with the original error."""

    answer: Callable[[Exception], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailOpen:
    """Serve `allow`, the value that lets the request through.

    Args:
        allow: What a working check would have answered for "go on".
        enabled: Has to be said aloud: it turns an outage of the guard into an open door.
    """

    allow: object
    enabled: bool = False


Strategy: TypeAlias = StaticValue | ServeStale | DegradedService | FailOpen


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackConfig:
    """Which strategies are tried, first to last.

    Args:
        strategies: May be empty; then the original error surfaces.

    Raises:
        ValueError: If more than one stale cache is configured; there is only one per stack.
    """

    strategies: tuple[Strategy, ...] = ()

    def __post_init__(self) -> None:
        if sum(isinstance(each, ServeStale) for each in self.strategies) > 1:
            raise ValueError(f"strategies={self.strategies!r} must hold at most one ServeStale")

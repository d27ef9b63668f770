"""Lay the guide's tuning tables over a service's own numbers, by the names of their rows.

`ATLAS_PRESET=background_quick,slow_upstream_quick` takes one breaker and one retry of the tables in
`shadow_atlas.presets`. Only what the tables speak of is replaced: which errors a circuit ignores,
how long an attempt may take and what stands beside the parts stay the service's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Self, TypeVar

from resilience import BreakerConfig, BulkheadConfig, RetryConfig, StackConfig
from shadow_atlas.environment import EnvironmentReader
from shadow_atlas.presets import (
    BREAKER_PRESETS,
    BULKHEAD_PRESETS,
    RETRY_PRESETS,
    needed_total_timeout_s,
)

Config = TypeVar("Config")

VARIABLE: Final = "ATLAS_PRESET"
NAMES: Final = (*BREAKER_PRESETS, *RETRY_PRESETS, *BULKHEAD_PRESETS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What was chosen of the tables; None leaves a part as the service has it.

    Args:
        breaker: Threshold and open time.
        retry: Attempts and back-off.
        bulkhead: Concurrency.
    """

    breaker: BreakerConfig | None = None
    retry: RetryConfig | None = None
    bulkhead: BulkheadConfig | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read names, separated by commas, at most one of each table.

        Raises:
            ValueError: If a name is unknown, or two are of one table.

        >>> Tuning.parse("network_bound_small").bulkhead.max_concurrent
        10
        """
        names = [name.strip() for name in text.split(",")]
        unknown = [name for name in names if name not in NAMES]
        if unknown:
            raise ValueError(f"there is no preset {unknown[0]!r}")
        return cls(
            breaker=_only(names, BREAKER_PRESETS),
            retry=_only(names, RETRY_PRESETS),
            bulkhead=_only(names, BULKHEAD_PRESETS),
        )

    @classmethod
    def read(cls, reader: EnvironmentReader) -> Self:
        """Take the variable; unset, and nothing is replaced."""
        expected = f"names of {', '.join(NAMES)}, separated by commas, one of each kind at most"
        return reader.parsed(VARIABLE, parse=cls.parse, default=cls(), expected=expected)

    def of_breaker(self, stack: StackConfig) -> StackConfig:
        """Return `stack` with the chosen threshold and open time."""
        chosen, own = self.breaker, stack.breaker
        if chosen is None or own is None:
            return stack
        breaker = replace(
            own,
            failure_threshold=chosen.failure_threshold,
            open_duration_s=chosen.open_duration_s,
        )
        return replace(stack, breaker=breaker)

    def of_retry(self, stack: StackConfig) -> StackConfig:
        """Return `stack` with the chosen attempts and back-off, and time for all of them."""
        chosen, own = self.retry, stack.retry
        if chosen is None or own is None:
            return stack
        retry = replace(
            own,
            max_attempts=chosen.max_attempts,
            initial_delay_s=chosen.initial_delay_s,
            max_delay_s=chosen.max_delay_s,
        )
        return replace(stack, retry=_with_room(retry))

    def of_bulkhead(self, stack: StackConfig) -> StackConfig:
        """Return `stack` with the chosen concurrency; the queue stays."""
        chosen, own = self.bulkhead, stack.bulkhead
        if chosen is None or own is None:
            return stack
        return replace(stack, bulkhead=replace(own, max_concurrent=chosen.max_concurrent))

    def of_all(self, stack: StackConfig) -> StackConfig:
        """Return `stack` with everything that was chosen."""
        return self.of_bulkhead(self.of_retry(self.of_breaker(stack)))


def _only(names: Iterable[str], table: Mapping[str, Config]) -> Config | None:
    """Return the one row of a table that is named, if one is."""
    found = [name for name in names if name in table]
    if len(found) > 1:
        raise ValueError(f"{' and '.join(found)} exclude each other")
    return table[found[0]] if found else None


def _with_room(retry: RetryConfig) -> RetryConfig:
    """Lengthen a total timeout that would cut the last attempt."""
    if retry.total_timeout_s is None or retry.attempt_timeout_s is None:
        return retry
    needed_s = needed_total_timeout_s(retry, attempt_timeout_s=retry.attempt_timeout_s)
    return replace(retry, total_timeout_s=max(retry.total_timeout_s, needed_s))

"""Run the same configuration at another speed."""

import dataclasses
import math
from typing import Any, TypeVar

from resilience.configuration import (
    BreakerConfig,
    BulkheadConfig,
    LimiterConfig,
    RetryConfig,
    StackConfig,
)
from resilience.fallback_strategies import FallbackConfig, ServeStale

C = TypeVar(
    "C",
    BreakerConfig,
    RetryConfig,
    BulkheadConfig,
    LimiterConfig,
    FallbackConfig,
    ServeStale,
    StackConfig,
)


def scaled(config: C, time_scale: float) -> C:
    """Return `config` with every duration times `time_scale` and every rate divided by it.

    Counts, thresholds and ratios stay, so a scaled system makes the same decisions, sooner. What
    is a duration or a rate is told by the unit at the end of its name (`_s`, `_per_s`), the way
    every field of the configurations is named.

    Args:
        config: Any configuration of this package.
        time_scale: 1 changes nothing, 0.1 runs ten times as fast.

    Raises:
        ValueError: If `time_scale` is not finite and positive.

    >>> scaled(BreakerConfig(open_duration_s=60.0), 0.1).open_duration_s
    6.0
    """
    if not (math.isfinite(time_scale) and time_scale > 0.0):
        raise ValueError(f"time_scale={time_scale!r} must be finite and > 0")
    changes: dict[str, Any] = {
        field.name: _scaled_value(field.name, getattr(config, field.name), time_scale)
        for field in dataclasses.fields(config)
    }
    return dataclasses.replace(config, **changes)


def _scaled_value(name: str, value: object, time_scale: float) -> object:
    if isinstance(value, tuple):
        return tuple(_scaled_value("", each, time_scale) for each in value)
    if isinstance(value, C.__constraints__):
        nested: Any = value
        return scaled(nested, time_scale)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return value
    if name.endswith("_per_s"):
        return value / time_scale
    return value * time_scale if name.endswith("_s") else value

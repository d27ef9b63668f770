"""What an injected fault is to do, and when."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict


class ChaosFault(StrEnum):
    """The six ways in which a call can be made to go wrong."""

    NETWORK_FAILURE = "network_failure"
    NETWORK_DELAY = "network_delay"
    UPSTREAM_ERROR = "upstream_error"
    DATA_CORRUPTION = "data_corruption"
    TIMEOUT = "timeout"
    RESOURCE_EXHAUSTION = "resource_exhaustion"


class InjectedUpstreamError(Exception):
    """The upstream is made to answer with an error.

    Attributes:
        status: The HTTP status it answers with.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, status)
        self.status = status

    def __str__(self) -> str:
        return f"{self.args[0]} (status {self.status})"


class ChaosSettings(TypedDict, total=False):
    """The keywords of `ChaosFaultInjector.configure`; `ChaosPlan` explains them."""

    enabled: bool
    probability: float
    fail_first: int | None
    error: str | Callable[[], Exception] | None
    delay_s: float | None
    status: int
    size_bytes: int
    cpu_s: float


MAX_SIZE_BYTES = 1 << 30
MAX_CPU_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosPlan:
    """One fault's settings; what a fault has no use for is ignored.

    Args:
        enabled: Whether it acts at all.
        probability: Share of the calls it acts on, in [0, 1].
        fail_first: Act on exactly the first so many attempts of each call id instead; 0 on none.
        error: What is raised: an errno name ("ECONNREFUSED"), any other text as the message, or
            something that makes the exception.
        delay_s: network_delay: the delay; timeout: how long it hangs before TimeoutError, None
            until it is cancelled; seconds.
        status: upstream_error: HTTP status of the answer.
        size_bytes: data_corruption: places that change; resource_exhaustion: memory held.
        cpu_s: resource_exhaustion: processor time burnt before the call, seconds.

    Raises:
        ValueError: Names the field that is out of range.
    """

    enabled: bool = True
    probability: float = 1.0
    fail_first: int | None = None
    error: str | Callable[[], Exception] | None = None
    delay_s: float | None = None
    status: int = 503  # what a proxy says of an upstream that is gone, and worth a retry
    size_bytes: int = 1
    cpu_s: float = 0.0

    def __post_init__(self) -> None:
        _require_range("probability", self.probability, 0.0, 1.0)
        if self.fail_first is not None:
            _require_range("fail_first", self.fail_first, 0, math.inf)
        if self.delay_s is not None and not (math.isfinite(self.delay_s) and self.delay_s >= 0.0):
            raise ValueError(f"delay_s={self.delay_s!r} must be finite and >= 0")
        _require_range("status", self.status, 400, 599)
        _require_range("size_bytes", self.size_bytes, 0, MAX_SIZE_BYTES)
        _require_range("cpu_s", self.cpu_s, 0.0, MAX_CPU_S)


def _require_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name}={value!r} must be in [{low}, {high}]")

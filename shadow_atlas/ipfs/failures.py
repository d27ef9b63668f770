"""Say why gateways failed, in words for programs and without internals."""

from dataclasses import dataclass
from typing import Final

import httpx

from resilience import CircuitOpen, DeadlineExceeded, ErrorClass, ResilienceError
from resilience.errors import upstream_error
from shadow_atlas.content_addressing import BlockMismatch
from shadow_atlas.errors import UpstreamStatus, classify

CORRUPT: Final = "corrupt_block"
CIRCUIT_OPEN: Final = "circuit_open"
FAILED: Final = "failed"

GATEWAY_TROUBLE: Final = (
    ResilienceError,
    UpstreamStatus,
    BlockMismatch,
    httpx.HTTPError,
    httpx.StreamError,
    OSError,  # ConnectionError and TimeoutError are among them
)
"""What sends a call to the next gateway. Anything else is a defect of ours, and shows as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFailure:
    """Why one gateway did not deliver.

    Args:
        gateway: Its name.
        error: What its stack raised.
    """

    gateway: str
    error: Exception

    @property
    def reason(self) -> str:
        """The reason in one word: an error class, `status_404`, `corrupt_block`, `circuit_open`."""
        if isinstance(self.error, CircuitOpen):
            return CIRCUIT_OPEN
        error_class = failure_class(self.error)
        if error_class is not None and error_class is not ErrorClass.PERMANENT:
            return error_class.value
        inner = upstream_error(self.error)
        if isinstance(inner, BlockMismatch):
            return CORRUPT
        return f"status_{inner.status}" if isinstance(inner, UpstreamStatus) else FAILED

    @property
    def may_pass(self) -> bool:
        """Whether asking again later makes sense."""
        return failure_class(self.error) is not ErrorClass.PERMANENT


class AllGatewaysFailed(Exception):
    """No gateway delivered the snapshot.

    Args:
        failures: One for each gateway, in the order in which they were asked.
    """

    def __init__(self, failures: tuple[GatewayFailure, ...]) -> None:
        super().__init__(", ".join(f"{each.gateway}: {each.reason}" for each in failures))
        self.failures = failures

    @property
    def is_local(self) -> bool:
        """Whether no gateway was asked at all: every circuit is open."""
        return all(isinstance(each.error, CircuitOpen) for each in self.failures)

    @property
    def retry_after_s(self) -> float | None:
        """Seconds until the first circuit lets a call through; None unless all are open."""
        waits_s = [
            each.error.retry_after_s or 0.0
            for each in self.failures
            if isinstance(each.error, CircuitOpen)
        ]
        return min(waits_s) if len(waits_s) == len(self.failures) else None


def failure_class(error: Exception) -> ErrorClass | None:
    """Return the class of what a gateway did; None if it was not asked.

    A call that ran out of time in its first attempt has no error inside: the gateway was slow.
    """
    if isinstance(error, CircuitOpen):
        return None
    inner = upstream_error(error)
    return ErrorClass.NETWORK_TIMEOUT if isinstance(inner, DeadlineExceeded) else classify(inner)

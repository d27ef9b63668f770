"""Sort upstream errors into classes by type and integer status, never by message text."""

import errno
import math
import socket
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Protocol

from resilience.errors import ResilienceError
from resilience.events import Listeners


class ErrorClass(StrEnum):
    """What kind of trouble an upstream error tells of; only `permanent` is never retryable."""

    NETWORK_TIMEOUT = "network_timeout"
    NETWORK_ERROR = "network_error"
    RATE_LIMIT = "rate_limit"
    SERVICE_UNAVAILABLE = "service_unavailable"
    GATEWAY_TIMEOUT = "gateway_timeout"
    TEMPORARY_FAILURE = "temporary_failure"
    PERMANENT = "permanent"


class Classifier(Protocol):
    """Maps an exception to its class; asked for Exceptions only, never for a cancel."""

    def __call__(self, error: Exception, /) -> ErrorClass:
        """Return the class of `error`."""
        ...


class TemporaryFailure(Exception):
    """Marks an error as passing: subclass it, or raise it `from` what happened."""


# RFC 9110 sections 15.5 and 15.6 and RFC 6585: these statuses say "later", all others say "no".
_CLASS_BY_STATUS = {
    408: ErrorClass.TEMPORARY_FAILURE,
    425: ErrorClass.TEMPORARY_FAILURE,
    429: ErrorClass.RATE_LIMIT,
    502: ErrorClass.TEMPORARY_FAILURE,
    503: ErrorClass.SERVICE_UNAVAILABLE,
    504: ErrorClass.GATEWAY_TIMEOUT,
}
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH})


def default_classifier(error: Exception, /) -> ErrorClass:
    """Classify by exception type, then by the integer `status` or `status_code` it carries.

    The layer's own errors are permanent, so nested stacks do not multiply their attempts. Errors
    of client libraries (httpx, asyncpg) are permanent as well: who uses one maps its errors.

    >>> default_classifier(ConnectionResetError()).value
    'network_error'
    >>> default_classifier(RuntimeError("order 4290 not found")).value
    'permanent'
    """
    if isinstance(error, ResilienceError):
        return ErrorClass.PERMANENT
    if isinstance(error, TemporaryFailure):
        return ErrorClass.TEMPORARY_FAILURE
    if isinstance(error, TimeoutError):  # ETIMEDOUT included: OSError makes this very type of it
        return ErrorClass.NETWORK_TIMEOUT
    if isinstance(error, ConnectionError | socket.gaierror):
        return ErrorClass.NETWORK_ERROR
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return ErrorClass.NETWORK_ERROR
    return _CLASS_BY_STATUS.get(_status_of(error), ErrorClass.PERMANENT)


def class_of(error: Exception, classifier: Classifier, listeners: Listeners) -> ErrorClass:
    """Ask `classifier`; if it fails itself, count that and take the error for permanent."""
    try:
        return classifier(error)
    except Exception:  # noqa: BLE001 - a broken classifier must not replace the error
        listeners.errors += 1
        return ErrorClass.PERMANENT


def retry_after_s(error: Exception, wall_s: float) -> float | None:
    """Return how long the upstream asked to be left alone, seconds, never negative.

    Looks at the attributes `retry_after` and `retry_after_s`, then at a Retry-After header on the
    error or on its `response`, in both forms that RFC 9110 section 10.2.3 allows.

    Args:
        error: The upstream error.
        wall_s: Unix seconds now, against which an HTTP date is read.
    """
    for holder in _holders(error):
        for name in ("retry_after", "retry_after_s"):
            seconds = _seconds(getattr(holder, name, None))
            if seconds is not None:
                return seconds
        header = _header(holder)
        if header is not None:
            return _seconds_of_header(header, wall_s)
    return None


def _holders(error: Exception) -> Iterator[object]:
    yield error
    response = getattr(error, "response", None)
    if response is not None:
        yield response


def _status_of(error: Exception) -> int:
    for holder in _holders(error):
        for name in ("status", "status_code"):
            status = getattr(holder, name, None)
            if isinstance(status, int):
                return status
    return 0


def _header(holder: object) -> str | None:
    headers = getattr(holder, "headers", None)
    get = getattr(headers, "get", None)
    if get is None:
        return None
    for name in ("retry-after", "Retry-After"):  # a plain dict is case-sensitive
        value = get(name)
        if isinstance(value, str):
            return value
    return None


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return max(0.0, float(value))


def _seconds_of_header(text: str, wall_s: float) -> float | None:
    try:
        return _seconds(float(text))
    except ValueError:
        pass  # not a number of seconds, so it has to be a date
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - wall_s)
    except ValueError:
        return None  # an unreadable hint is no hint

"""Map foreign errors (httpx, asyncpg, HTTP statuses) to the classes of the resilience layer.

httpx and asyncpg raise errors that are neither `OSError` nor `TimeoutError`, so a layer that
knows only those would retry no network error at all. This is the one module that knows both.
"""

import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import asyncpg
import httpx

from resilience import ErrorClass, default_classifier

TRANSIENT_STATUSES: Final = {
    408: ErrorClass.TEMPORARY_FAILURE,  # request timeout: RFC 9110, section 15.5.9
    425: ErrorClass.TEMPORARY_FAILURE,  # too early: RFC 8470
    429: ErrorClass.RATE_LIMIT,  # RFC 6585
    502: ErrorClass.TEMPORARY_FAILURE,  # RFC 9110, section 15.6.3
    503: ErrorClass.SERVICE_UNAVAILABLE,
    504: ErrorClass.GATEWAY_TIMEOUT,
}
"""Answers that say "not now"; every other error status says "not like this"."""

_BY_TYPE: Final = (
    # httpx. The order matters: PoolTimeout is a TimeoutException, but nothing left this host.
    (httpx.PoolTimeout, ErrorClass.TEMPORARY_FAILURE),
    (httpx.TimeoutException, ErrorClass.NETWORK_TIMEOUT),
    (httpx.NetworkError, ErrorClass.NETWORK_ERROR),
    (httpx.RemoteProtocolError, ErrorClass.NETWORK_ERROR),
    (httpx.ProxyError, ErrorClass.NETWORK_ERROR),
    (httpx.DecodingError, ErrorClass.TEMPORARY_FAILURE),  # a body damaged on its way
    # asyncpg. Appendix A of the PostgreSQL manual names the SQLSTATE of each.
    (asyncpg.CannotConnectNowError, ErrorClass.SERVICE_UNAVAILABLE),  # 57P03: starting up
    (asyncpg.AdminShutdownError, ErrorClass.SERVICE_UNAVAILABLE),  # 57P01
    (asyncpg.CrashShutdownError, ErrorClass.SERVICE_UNAVAILABLE),  # 57P02
    (asyncpg.TooManyConnectionsError, ErrorClass.SERVICE_UNAVAILABLE),  # 53300
    (asyncpg.QueryCanceledError, ErrorClass.NETWORK_TIMEOUT),  # 57014: statement_timeout
    (asyncpg.PostgresConnectionError, ErrorClass.NETWORK_ERROR),  # class 08
    (asyncpg.InsufficientResourcesError, ErrorClass.TEMPORARY_FAILURE),  # class 53: disk, memory
    (asyncpg.TransactionRollbackError, ErrorClass.TEMPORARY_FAILURE),  # class 40: deadlock
)


class UpstreamStatus(Exception):
    """An upstream answered with an error status.

    Args:
        message: What the upstream said, shortened.
        status: The HTTP status, or the code inside the body where a protocol puts it there.
        retry_after_s: Seconds to wait as the upstream asked, None if it did not say.
    """

    def __init__(self, message: str, *, status: int, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class UpstreamRefused(UpstreamStatus):
    """A 4xx that blames the request, not the upstream: no reason to open a circuit."""


class DatabaseUnreachable(ConnectionError):
    """A connection to the database could not be made, or was lost while it was used."""


def status_error(
    message: str, *, status: int, retry_after_s: float | None = None
) -> UpstreamStatus:
    """Build the error of an answer; 4xx other than 408, 425 and 429 become `UpstreamRefused`.

    >>> type(status_error("no such layer", status=404)).__name__
    'UpstreamRefused'
    >>> type(status_error("slow down", status=429, retry_after_s=2.0)).__name__
    'UpstreamStatus'
    """
    kind = UpstreamRefused if _is_refusal(status) else UpstreamStatus
    return kind(message, status=status, retry_after_s=retry_after_s)


def blames_request(error: Exception) -> bool:
    """Say whether an error is a 4xx that says nothing about the upstream's health.

    Judged by the integer `status` that the error carries, so an injected error counts like a
    real one.
    """
    status = getattr(error, "status", None)
    return isinstance(status, int) and _is_refusal(status)


def response_error(response: httpx.Response, *, now_wall_s: float) -> UpstreamStatus:
    """Build the error of an HTTP answer that is not a success, with its `Retry-After`.

    Args:
        response: The answer; only status and headers are read.
        now_wall_s: Present Unix time, to which an HTTP date is compared.
    """
    return status_error(
        f"HTTP {response.status_code} {response.reason_phrase}".rstrip(),
        status=response.status_code,
        retry_after_s=parse_retry_after(response.headers.get("retry-after"), now_wall_s=now_wall_s),
    )


def parse_retry_after(value: str | None, *, now_wall_s: float) -> float | None:
    """Read a `Retry-After` header in either form (RFC 9110, section 10.2.3).

    Returns:
        Seconds to wait, never negative; None for an absent or unreadable header, because a
        typing error of an upstream must not stop the retry.

    >>> parse_retry_after("120", now_wall_s=0.0)
    120.0
    >>> parse_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", now_wall_s=15.0)
    45.0
    >>> parse_retry_after("soon", now_wall_s=0.0) is None
    True
    """
    if value is None:
        return None
    seconds = _number(value)
    if seconds is None:
        seconds = _seconds_until_date(value, now_wall_s=now_wall_s)
    return None if seconds is None else max(0.0, seconds)


def classify(error: Exception, /) -> ErrorClass:
    """Return the class of an upstream error; `permanent` means that it must not be retried."""
    if isinstance(error, UpstreamStatus):
        return TRANSIENT_STATUSES.get(error.status, ErrorClass.PERMANENT)
    for kind, error_class in _BY_TYPE:
        if isinstance(error, kind):
            return error_class
    return default_classifier(error)


def _is_refusal(status: int) -> bool:
    return 400 <= status < 500 and status not in TRANSIENT_STATUSES  # noqa: PLR2004


def _number(value: str) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _seconds_until_date(value: str, *, now_wall_s: float) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)  # HTTP dates are GMT by definition
    return (moment - datetime.fromtimestamp(now_wall_s, UTC)).total_seconds()

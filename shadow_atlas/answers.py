"""Say no in one form: a status, a code for programs and a sentence for people."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from resilience import (
    BulkheadFull,
    CircuitOpen,
    DeadlineExceeded,
    LocalRejection,
    QueueTimeout,
    RateLimited,
)
from resilience.errors import is_local_rejection
from shadow_atlas import headers

_CODES: Final = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}
_REJECTED_BY: Final = (
    (CircuitOpen, "breaker"),
    (BulkheadFull, "bulkhead"),
    (QueueTimeout, "bulkhead"),
    (DeadlineExceeded, "bulkhead"),  # its time was over before it had a slot
    (RateLimited, "limiter"),
)
UNKNOWN_WAIT_S: Final = 1.0  # nobody can tell when a full bulkhead has room: soon


@dataclass(slots=True, kw_only=True, eq=False)  # exceptions are compared by identity
class Refusal(Exception):
    """An answer other than success, raised where it is decided.

    Args:
        status: HTTP status.
        code: Stable name for programs.
        message: Sentence for people, without internals.
        retry_after_s: Seconds after which asking again makes sense.
        rejected_by: Which local protection refused (breaker, bulkhead, limiter).
        details: Further members of the error, for programs; None for none.
    """

    status: int
    code: str
    message: str
    retry_after_s: float | None = None
    rejected_by: str | None = None
    details: Mapping[str, object] | None = None


def refusal_of(error: Exception) -> Refusal:
    """Turn what a handler raised into an answer; unknown errors say nothing about themselves."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, HTTPException):
        return Refusal(
            status=error.status_code,
            code=_CODES.get(error.status_code, "REQUEST_REFUSED"),
            message=str(error.detail),
        )
    if is_local_rejection(error):
        return rejection(error)
    return Refusal(status=500, code="INTERNAL_ERROR", message="the request could not be answered")


def rejection(error: Exception) -> Refusal:
    """Turn a local rejection into an answer: 429 from the limiter, 503 from the others."""
    by = next((name for kind, name in _REJECTED_BY if isinstance(error, kind)), "bulkhead")
    wait_s = error.retry_after_s if isinstance(error, LocalRejection) else None
    is_limiter = by == "limiter"
    return Refusal(
        status=429 if is_limiter else 503,
        code="RATE_LIMIT_EXCEEDED" if is_limiter else "SERVICE_DEGRADED",
        message="rate limit exceeded" if is_limiter else "service temporarily degraded",
        retry_after_s=UNKNOWN_WAIT_S if wait_s is None else wait_s,
        rejected_by=by,
    )


def error_response(refusal: Refusal) -> JSONResponse:
    """Write a refusal as JSON: `{"error": {"code": ..., "message": ...}}`."""
    response = JSONResponse(
        {
            "error": {
                "code": refusal.code,
                "message": refusal.message,
                **(refusal.details or {}),
            }
        },
        status_code=refusal.status,
    )
    if refusal.retry_after_s is not None:
        # RFC 9110 knows whole seconds only; rounding up keeps the promise.
        response.headers[headers.RETRY_AFTER] = str(max(1, math.ceil(refusal.retry_after_s)))
    return response

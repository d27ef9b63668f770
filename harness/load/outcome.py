"""Say how an operation ended: FAILED needs proof, UNKNOWN is all that may have happened; pure.

| what the client saw | outcome | reason |
|---|---|---|
| a complete answer with an expected status | OK | |
| the same, but it belongs to another call | FAILED | `wrong_content` |
| 429 or 503 with `x-atlas-rejected-by` | REJECTED | what refused it |
| any other complete answer | FAILED | `http_<status>` |
| no connection: nothing was sent | FAILED | `connect_...` |
| the request was sent, the connection ended before the answer | UNKNOWN | `cut_before_answer` |
| the answer ended early, or is no HTTP | UNKNOWN | `truncated`, `garbled` |
| the client's patience ended after the request was sent | UNKNOWN | `timeout` |
"""

import errno
import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.load.connection import Answer
from harness.model.records import Outcome

_REJECTING = (429, 503)

_OWN_LIMITS = (errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an operation ended, as `harness.model.records.Operation` has it."""

    outcome: Outcome
    reason: str | None = None
    status: int | None = None
    source: str | None = None
    rejected_by: str | None = None
    age_s: float | None = None
    retry_after_s: float | None = None
    size_bytes: int = 0


def judge_answer(answer: Answer, *, call_id: str, expect_status: tuple[int, ...]) -> Ending:
    """Return the ending that a complete answer makes.

    Args:
        answer: What came back.
        call_id: The id that was sent; an answer that names another one is a foreign answer.
        expect_status: Statuses that count as OK; empty: any 2xx.
    """
    outcome, reason = _outcome(answer, call_id=call_id, expect_status=expect_status)
    headers = answer.headers
    return Ending(
        outcome=outcome,
        reason=reason,
        status=answer.status,
        source=headers.get("x-atlas-source"),
        rejected_by=headers.get("x-atlas-rejected-by"),
        age_s=_seconds(headers, "x-atlas-age-s"),
        retry_after_s=_seconds(headers, "retry-after"),
        size_bytes=answer.size_bytes,
    )


def _outcome(
    answer: Answer, *, call_id: str, expect_status: tuple[int, ...]
) -> tuple[Outcome, str | None]:
    if answer.headers.get("x-atlas-call-id", call_id) != call_id:
        return Outcome.FAILED, "wrong_content"
    is_expected = answer.status in expect_status if expect_status else answer.status // 100 == 2  # noqa: PLR2004
    if is_expected:
        return Outcome.OK, None
    rejected_by = answer.headers.get("x-atlas-rejected-by")
    if answer.status in _REJECTING and rejected_by:
        return Outcome.REJECTED, rejected_by
    return Outcome.FAILED, f"http_{answer.status}"


def _seconds(headers: Mapping[str, str], name: str) -> float | None:
    """Return a header's number; None if it is a date, an infinity or no number at all."""
    try:
        seconds = float(headers[name])
    except (KeyError, ValueError):
        return None
    return seconds if math.isfinite(seconds) else None


def judge_connect_error(error: OSError) -> Ending:
    """Return the ending of an operation that found no connection, so that nothing was sent.

    Raises:
        OSError: The error itself, if it is a limit of this host: then no load is offered.
    """
    if error.errno in _OWN_LIMITS:
        raise error
    return Ending(outcome=Outcome.FAILED, reason=_connect_reason(error))


def _connect_reason(error: OSError) -> str:
    match error:
        case ConnectionRefusedError():
            return "connect_refused"
        case TimeoutError():
            return "connect_timeout"
        case ConnectionError():
            return "connect_reset"
        case _ if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
            return "connect_unreachable"
        case _:
            return "connect_failed"

"""Decide how a task is settled. Pure: what happened goes in, what to store comes out."""

from resilience import LocalRejection
from resilience.errors import is_local_rejection
from shadow_atlas.batch.extraction import Extraction, Source
from shadow_atlas.batch.orchestrator import is_permanent
from shadow_atlas.batch.settings import QueueSettings
from shadow_atlas.batch.tasks import Claim, Settlement, TaskStatus

REASON_LENGTH_MAX = 500


def settle_success(extraction: Extraction) -> Settlement:
    """Settle a task whose portal answered.

    Raises:
        ValueError: If the extraction is not from the portal; only that is ever done.
    """
    if extraction.source is not Source.PRIMARY:
        raise ValueError(f"source={extraction.source!r} is a fallback, which is never done")
    return Settlement(status=TaskStatus.DONE, what="finished", extraction=extraction)


def settle_rejection(claim: Claim, error: Exception, *, queue: QueueSettings) -> Settlement:
    """Send a task back that was refused here, before a portal was asked: no attempt is spent.

    It comes back when the circuit or the bulkhead said that a new call has a chance. A task that
    has grown too old over that is failed, or stays degraded: no wait is endless.
    """
    is_too_old = claim.age_s >= queue.age_max_s
    if is_too_old and not claim.is_refresh:
        return _failed(error, reason="rejected locally until it was too old")
    wait_s = error.retry_after_s if isinstance(error, LocalRejection) else None
    return Settlement(
        status=TaskStatus.DEGRADED if claim.is_refresh else TaskStatus.QUEUED,
        what="requeued",
        attempts_spent=0,
        due_in_s=None
        if is_too_old
        else max(queue.poll_s, queue.rejected_wait_s if wait_s is None else wait_s),
        reason=_reason(error),
    )


def settle_failure(
    claim: Claim, error: Exception, fallback: Extraction | None, *, queue: QueueSettings
) -> Settlement:
    """Settle a task whose portal was asked and failed.

    Args:
        claim: The task.
        error: What the portal did.
        fallback: What another source had instead, None if none had anything.
        queue: Pauses and bounds.
    """
    if is_local_rejection(error):
        return settle_rejection(claim, error, queue=queue)
    if claim.is_refresh:
        return _refresh_failed(claim, error, fallback, queue=queue)
    if is_permanent(error):
        return _failed(error)
    if fallback is not None:
        return Settlement(
            status=TaskStatus.DEGRADED,
            what="degraded",
            extraction=fallback,
            due_in_s=queue.refresh_initial_s,
            reason=_reason(error),
        )
    if claim.attempts + 1 >= queue.attempts_max:
        return _failed(error)
    return Settlement(
        status=TaskStatus.QUEUED,
        what="requeued",
        due_in_s=pause_s(claim.attempts, queue.retry_initial_s, queue.retry_max_s),
        reason=_reason(error),
    )


def settle_return(claim: Claim) -> Settlement:
    """Send a task back unfinished because the service stops; the next worker takes it at once."""
    return Settlement(
        status=TaskStatus.DEGRADED if claim.is_refresh else TaskStatus.QUEUED,
        what="requeued",
        attempts_spent=0,
        due_in_s=0.0,
        reason="the worker stopped",
    )


def settle_killer(claim: Claim) -> Settlement:
    """Give up on a task over which too many workers died."""
    reason = f"{claim.lost_claims} workers died over it"
    if claim.is_refresh:
        return Settlement(
            status=TaskStatus.DEGRADED, what="degraded", attempts_spent=0, reason=reason
        )
    return Settlement(status=TaskStatus.FAILED, what="failed", attempts_spent=0, reason=reason)


def pause_s(failures: int, initial_s: float, maximum_s: float) -> float:
    """Return the pause after a failure, doubled for each one before it.

    >>> [pause_s(failures, 5.0, 30.0) for failures in range(4)]
    [5.0, 10.0, 20.0, 30.0]
    """
    return min(maximum_s, initial_s * 2.0 ** min(failures, 64))  # 2**64 is beyond any maximum


def _refresh_failed(
    claim: Claim, error: Exception, fallback: Extraction | None, *, queue: QueueSettings
) -> Settlement:
    """Keep the degraded result, or replace it by a newer one, and try again while allowed."""
    is_last = is_permanent(error) or claim.refreshes + 1 >= queue.refreshes_max
    is_newer = fallback is not None and fallback.source is Source.DEGRADED
    return Settlement(
        status=TaskStatus.DEGRADED,
        what="degraded",
        extraction=fallback if is_newer else None,
        attempts_spent=0,
        refreshes_spent=1,
        due_in_s=None
        if is_last
        else pause_s(claim.refreshes + 1, queue.refresh_initial_s, queue.refresh_max_s),
        reason=_reason(error),
    )


def _failed(error: Exception, *, reason: str | None = None) -> Settlement:
    text = _reason(error) if reason is None else f"{reason}: {_reason(error)}"
    return Settlement(status=TaskStatus.FAILED, what="failed", reason=text[:REASON_LENGTH_MAX])


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:REASON_LENGTH_MAX]

"""Requests of a run one by one: those around the worst case, and a sample of all."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.finding import Finding
from harness.model.records import Operation, Outcome
from harness.model.verdict import Verdict

AROUND = 2  # before and after the worst case: five in all show what changed
SAMPLE_MAX = 300  # rows; enough to draw by hand, small enough to attach to every result


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request as its client saw it.

    Args:
        t_ns: When it was meant to start, ns since the start of the run.
        latency_s: From then to its end.
        load: Its load.
        call_id: The id that all its attempts share.
        client: Who asked.
        method: HTTP method.
        target: Path and query.
        outcome: OK, FAILED, REJECTED or UNKNOWN.
        reason: Why it was not OK; empty if it was.
        status: HTTP status, if an answer came.
        source: Where the answer came from, if it said so.
        rejected_by: Who refused it, if anybody.
        attempts: Attempts at upstreams that were recorded for it.
        is_worst: Whether it is the worst case itself.
    """

    t_ns: int
    latency_s: float
    load: str
    call_id: str
    client: str
    method: str
    target: str
    outcome: str
    reason: str = ""
    status: int | None = None
    source: str | None = None
    rejected_by: str | None = None
    attempts: int = 0
    is_worst: bool = False


def around_worst(
    operations: Sequence[Operation], findings: Sequence[Finding], attempts: dict[str, int]
) -> tuple[Exchange, ...]:
    """Return the worst case and its neighbours of the same load, in order of time.

    The worst case is the operation nearest to where the worst finding that did not pass says that
    it happened, one that was not OK if there is any at that instant; none if no finding says when.

    Args:
        operations: All operations, by intended start.
        findings: What checks said, the worst first.
        attempts: Number of attempts by call id.
    """
    at_ns = next(
        (f.at_ns for f in findings if f.at_ns is not None and f.verdict is not Verdict.PASSED),
        None,
    )
    if at_ns is None or not operations:
        return ()
    worst = min(operations, key=lambda op: (abs(op.t_ns - at_ns), op.outcome == Outcome.OK))
    same = [operation for operation in operations if operation.load == worst.load]
    index = next(i for i, operation in enumerate(same) if operation is worst)
    first = max(0, min(index - AROUND, len(same) - 2 * AROUND - 1))
    return tuple(
        exchange_of(operation, attempts, is_worst=operation is worst)
        for operation in same[first : first + 2 * AROUND + 1]
    )


def sample_of(operations: Sequence[Operation], attempts: dict[str, int]) -> tuple[Exchange, ...]:
    """Return at most `SAMPLE_MAX` operations: evenly spaced ones, half of them not OK if so many.

    Args:
        operations: All operations, by intended start.
        attempts: Number of attempts by call id.
    """
    bad = [operation for operation in operations if operation.outcome != Outcome.OK]
    good = [operation for operation in operations if operation.outcome == Outcome.OK]
    kept_bad = _evenly(bad, max(SAMPLE_MAX // 2, SAMPLE_MAX - len(good)))
    kept = kept_bad + _evenly(good, SAMPLE_MAX - len(kept_bad))
    return tuple(exchange_of(op, attempts) for op in sorted(kept, key=lambda op: op.t_ns))


def _evenly(operations: Sequence[Operation], most: int) -> list[Operation]:
    if len(operations) <= most:
        return list(operations)
    return [operations[index * len(operations) // most] for index in range(most)]


def exchange_of(
    operation: Operation, attempts: dict[str, int], *, is_worst: bool = False
) -> Exchange:
    """Return an operation as reports tell it."""
    return Exchange(
        t_ns=operation.t_ns,
        latency_s=operation.latency_s,
        load=operation.load,
        call_id=operation.call_id,
        client=operation.client,
        method=operation.method,
        target=operation.target,
        outcome=str(operation.outcome),
        reason=operation.reason or "",
        status=operation.status,
        source=operation.source,
        rejected_by=operation.rejected_by,
        attempts=attempts.get(operation.call_id, 0),
        is_worst=is_worst,
    )

"""Whether a breaker kept to its times, or the machine did not."""

from collections.abc import Iterator

from harness.checks.breaker_eras import OPEN, Complaint, Era, Life
from harness.checks.question import witness
from harness.checks.stalls import EARLY_S, STALL_FACTOR, Stalls, tolerance_s
from harness.model.history import History
from harness.model.records import NS_PER_S, Operation, Outcome


def left_early(life: Life, open_s: float, stalls: Stalls) -> Iterator[Complaint]:
    """Yield the open times that were too short.

    A breaker starts its timer and then writes that it is open. A stall between the two makes the
    open time on record shorter than it was, by as much as the stall and no more.
    """
    for era in life.eras(OPEN):
        lasted_s = era.duration_ns / NS_PER_S
        if era.is_left and lasted_s < open_s - EARLY_S:
            what = f"stayed open for {lasted_s:.3f} s of {open_s:.3f} s"
            stall_s = stalls.largest_s(era.start_ns, era.start_ns)
            is_sure = lasted_s < open_s - EARLY_S - STALL_FACTOR * stall_s
            yield Complaint(t_ns=era.end_ns, what=what, is_sure=is_sure)


def refused_late(
    history: History, era: Era, loads: frozenset[str], open_s: float, stalls: Stalls
) -> Iterator[Complaint]:
    """Yield calls that an open breaker refused although its open time was over.

    Args:
        history: The run.
        era: The open time.
        loads: Loads whose refusals are surely this breaker's.
        open_s: How long it has to stay open.
        stalls: What the machine did meanwhile.
    """
    due_ns = era.start_ns + round(open_s * NS_PER_S)
    for op in history.of(Operation):
        is_refused = op.outcome == Outcome.REJECTED and op.rejected_by == "breaker"
        if op.load in loads and is_refused and due_ns < op.started_ns and op.end_ns < era.end_ns:
            late = judge_late(due_ns, op.started_ns, 0.0, stalls, bound_of_s=open_s)
            if late is not None:
                what = f"refused {late[0]:.3f} s after the open time was over"
                line = witness(op.call_id, op.t_ns, what)
                yield Complaint(t_ns=op.t_ns, what=line, is_sure=late[1])


def judge_late(
    from_ns: int, at_ns: int, bound_s: float, stalls: Stalls, *, bound_of_s: float | None = None
) -> tuple[float, bool] | None:
    """Return by how much an instant is later than a bound allows, and whether that is sure.

    Args:
        from_ns: What the bound counts from.
        at_ns: When it happened.
        bound_s: The bound.
        stalls: A stall between the due time and what happened excuses 1.5 times its length.
        bound_of_s: The time whose tenth is tolerated; the bound if not given.
    """
    late_s = (at_ns - from_ns) / NS_PER_S - bound_s
    allowed_s = tolerance_s(bound_s if bound_of_s is None else bound_of_s)
    if late_s <= allowed_s:
        return None
    stall_s = stalls.largest_s(from_ns + round(bound_s * NS_PER_S), at_ns)
    return late_s, late_s > allowed_s + STALL_FACTOR * stall_s

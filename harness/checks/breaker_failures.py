"""How many calls failed before a breaker opened, and how many in a row."""

from collections.abc import Iterator

from harness.checks.attempts import is_failure, received_calls
from harness.checks.breaker_eras import CLOSED, OPEN, Complaint, Life
from harness.model.history import History
from harness.model.records import (
    Attempt,
    ChaosAct,
    Operation,
    Outcome,
    RetryExhausted,
    Source,
)
from harness.model.system import Breaker

_EARLY_NS = 2_000_000  # an attempt's event may stand just behind the move that it caused


def opened_too_soon(history: History, life: Life, breaker: Breaker) -> Iterator[Complaint]:
    """Yield the first opening of a life if fewer calls had failed than the threshold asks for.

    Everything counts that anybody saw fail, in whole or in part, so an opening is called too
    soon only if it surely was.
    """
    openings = [m for m in life.moves if (m.from_state, m.to_state) == (CLOSED, OPEN)]
    if not openings or not _attempts(history, breaker):
        return
    failed = set(_failed_calls(history, breaker, openings[0].t_ns + _EARLY_NS))
    if len(failed) < breaker.failure_threshold:
        what = f"opened after {len(failed)} failed calls, its threshold is"
        yield Complaint(t_ns=openings[0].t_ns, what=f"{what} {breaker.failure_threshold}")


def _failed_calls(history: History, breaker: Breaker, until_ns: int) -> Iterator[str]:
    """Yield the calls that had failed by an instant, or part of them, whoever says so."""
    for try_ in _attempts(history, breaker):
        if try_.outcome != "ok" and try_.t_ns <= until_ns:
            yield try_.call_id
    yield from _told_inside(history, breaker.service, until_ns)
    yield from _seen_outside(history, breaker, until_ns)


def _told_inside(history: History, service: str, until_ns: int) -> Iterator[str]:
    for act in history.of(ChaosAct):
        if act.service == service and act.call_id and act.t_ns <= until_ns:
            yield act.call_id
    for record in history.of(RetryExhausted):
        if record.service == service and record.call_id and record.t_ns <= until_ns:
            yield record.call_id


def _seen_outside(history: History, breaker: Breaker, until_ns: int) -> Iterator[str]:
    for link in breaker.links:
        for call_id, seen in received_calls(history, link.server).items():
            if any(is_failure(one) and one.started_ns <= until_ns for one in seen):
                yield call_id
    for op in history.of(Operation):
        is_well = op.outcome == Outcome.OK and op.source in {None, Source.PRIMARY}
        if not is_well and op.started_ns <= until_ns:
            yield op.call_id


def longest_failing_run(history: History, breaker: Breaker) -> int:
    """Return how many calls failed in a row, at most, each with all its attempts.

    The client's attempts tell; of a call that it tells nothing about, the upstream's record.
    """
    said = _attempts(history, breaker)
    outcomes: dict[str, tuple[int, bool]] = {}
    if not any(try_.link == breaker.name for try_ in said):
        for link in breaker.links:
            for call_id, seen in received_calls(history, link.server).items():
                outcomes[call_id] = (seen[-1].t_ns, is_failure(seen[-1]))
    for try_ in said:
        outcomes[try_.call_id] = (try_.t_ns, try_.outcome == "failed")
    longest = run = 0
    for _, has_failed in sorted(outcomes.values()):
        run = run + 1 if has_failed else 0
        longest = max(longest, run)
    return longest


def _attempts(history: History, breaker: Breaker) -> tuple[Attempt, ...]:
    """Return the attempts under a breaker: those that bear its name, or else its links'."""
    mine = history.of(Attempt, lambda try_: try_.service == breaker.service)
    by_name = tuple(try_ for try_ in mine if try_.link == breaker.name)
    links = {str(link) for link in breaker.links}
    return by_name or tuple(try_ for try_ in mine if try_.link in links)

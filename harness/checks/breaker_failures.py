"""How many calls failed before a breaker opened, and how many in a row."""

from collections.abc import Iterable, Iterator

from harness.checks.attempts import claimed_calls, is_failure, received_calls
from harness.checks.breaker_eras import CLOSED, OPEN, Complaint, Life
from harness.model.history import History
from harness.model.records import ChaosAct
from harness.model.system import Breaker, Link

_EARLY_NS = 2_000_000  # an attempt's event may stand just behind the move that it caused


def opened_too_soon(history: History, life: Life, breaker: Breaker) -> Iterator[Complaint]:
    """Yield the first opening of a life if fewer calls had failed than the threshold asks for.

    Each call with a failed attempt counts, even if it succeeded later, so an opening is too soon
    only if it surely was.
    """
    openings = [m for m in life.moves if (m.from_state, m.to_state) == (CLOSED, OPEN)]
    if not openings or not any(claimed_calls(history, link) for link in life.links):
        return
    t_ns = openings[0].t_ns
    failed = _failed_inside(history, breaker.service, t_ns)
    for link in life.links:
        for call_id, said in claimed_calls(history, link).items():
            if any(try_.outcome != "ok" and try_.t_ns <= t_ns + _EARLY_NS for try_ in said):
                failed.add(call_id)
        for call_id, seen in received_calls(history, link.server).items():
            if any(is_failure(call) and call.started_ns <= t_ns for call in seen):
                failed.add(call_id)
    if len(failed) < breaker.failure_threshold:
        what = f"opened after {len(failed)} failed calls, its threshold is"
        yield Complaint(t_ns=t_ns, what=f"{what} {breaker.failure_threshold}")


def _failed_inside(history: History, service: str, t_ns: int) -> set[str]:
    """Return the calls that a fault inside the service had touched by then."""
    acts = history.of(ChaosAct, lambda act: act.service == service and act.t_ns <= t_ns)
    return {act.call_id for act in acts if act.call_id is not None}


def longest_failing_run(history: History, links: Iterable[Link]) -> int:
    """Return how many calls of one link failed in a row, at most, with all their attempts."""
    return max((_longest(history, link) for link in links), default=0)


def _longest(history: History, link: Link) -> int:
    outcomes = {
        call_id: (seen[-1].t_ns, is_failure(seen[-1]))
        for call_id, seen in received_calls(history, link.server).items()
    }
    for call_id, said in claimed_calls(history, link).items():
        outcomes[call_id] = (said[-1].t_ns, said[-1].outcome == "failed")
    longest = run = 0
    for _, has_failed in sorted(outcomes.values()):
        run = run + 1 if has_failed else 0
        longest = max(longest, run)
    return longest

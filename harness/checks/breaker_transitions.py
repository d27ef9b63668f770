"""The check `breaker_transitions`: a breaker opens, protects, probes and closes as it should."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.checks.breaker_eras import CLOSED, OPEN, Complaint, Life, lives_of, siblings_of
from harness.checks.breaker_failures import longest_failing_run, opened_too_soon
from harness.checks.breaker_timing import judge_late, left_early, refused_late
from harness.checks.breaker_traffic import Traffic
from harness.checks.question import Question, seconds
from harness.checks.stalls import stalls_of
from harness.checks.streams import unreadable
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import NS_PER_S, FaultRecord, Operation, Outcome
from harness.model.scenario import Scenario
from harness.model.system import Breaker

SAMPLES_MIN = 20  # calls that would have opened an over-eager breaker


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerTransitions:
    """Judge what a breaker says of itself against what reached its upstreams.

    Order and counts have no tolerance: only legal moves, not before the threshold, nothing at
    the upstream while open, at most so many probes at once while half-open. An open time must not
    be too short by more than 2 ms. What is late may be late by max(50 ms, a tenth), and by
    1.5 times a measured stall; within that last term it is INCONCLUSIVE.

    Raises:
        ValueError: If `never` comes with what only a breaker that opens can meet.
    """

    name: ClassVar[str] = "breaker_transitions"
    summary: ClassVar[str] = "a breaker opens, protects its upstream, probes and closes"

    breaker: str = field(metadata=meta(Kind.TEXT, "its name in the system file and the events"))
    must_open: bool = field(default=True, metadata=meta(Kind.FLAG, "whether it has to open"))
    never: bool = field(default=False, metadata=meta(Kind.FLAG, "whether it must not open"))
    opens_within_s: float | None = field(
        default=None,
        metadata=meta(Kind.DURATION, "longest time from the first fault to open", minimum=0.0),
    )
    closes_within_s: float | None = field(
        default=None,
        metadata=meta(Kind.DURATION, "longest time from the last heal to closed", minimum=0.0),
    )
    stays_open_s: float | None = field(
        default=None,
        metadata=meta(
            Kind.DURATION, "shortest open time; else what the system file says", minimum=0.0
        ),
    )
    half_open_at_most: int | None = field(
        default=None,
        metadata=meta(
            Kind.COUNT, "probes at once while half-open; else what the system file says", minimum=1
        ),
    )

    path: str | None = field(
        default=None,
        metadata=meta(
            Kind.TEXT, "beginning of the path of its requests, where breakers share a link"
        ),
    )

    def __post_init__(self) -> None:
        bounds = (self.opens_within_s, self.closes_within_s, self.stays_open_s)
        if self.never and any(bound is not None for bound in bounds):
            raise ValueError("never: excludes opens_within, closes_within and stays_open")

    def judge(self, history: History, scenario: Scenario) -> Finding:
        """Return whether the breaker did what breakers are for."""
        question = self._question()
        known = _named(scenario, self.breaker)
        if not known:
            return question.undecided(f"the system file lists no breaker {self.breaker}")
        breaker = known[0]
        lives = lives_of(history, breaker)
        if self.never:
            return self._judge_never(question, history, scenario, breaker)
        complaints = list(self._complaints(history, scenario, breaker, lives))
        openings = [era for life in lives for era in life.eras(OPEN)]
        got = f"opened {len(openings)} times"
        closed_s = _closed_after_s(history, lives)
        sure = [item for item in complaints if item.is_sure]
        if sure:
            return question.failed(
                f"{got}, {len(sure)} complaints",
                samples=len(openings),
                value=closed_s,
                witnesses=_lines(sure),
                at_ns=sure[0].t_ns,
            )
        reason = self._why_undecided(history, scenario, openings, complaints)
        if reason:
            return question.undecided(
                reason,
                got,
                is_noisy=bool(complaints),  # what was late may be so by a stall
                samples=len(openings),
                value=closed_s,
                witnesses=_lines(complaints),
            )
        return question.passed(got, samples=len(openings), value=closed_s)

    def _question(self) -> Question:
        check = f"{self.name}({self.breaker})"
        if self.never:
            return Question(check=check, expected="never opens", needed=SAMPLES_MIN)
        parts = ["opens"] if self.must_open else ["moves as breakers do"]
        if self.opens_within_s is not None:
            parts.append(f"within {self.opens_within_s:g} s of the first fault")
        parts.append("lets nothing pass while open")
        if self.closes_within_s is not None:
            parts.append(f"closes within {self.closes_within_s:g} s of the last heal")
        return Question(
            check=check,
            expected=", ".join(parts),
            needed=1,
            limit=self.closes_within_s,
            unit="s",
        )

    def _complaints(
        self, history: History, scenario: Scenario, breaker: Breaker, lives: Sequence[Life]
    ) -> Iterator[Complaint]:
        siblings = siblings_of(scenario.system, breaker)
        shared = [lives_of(history, other) for other in siblings]
        traffic = Traffic(history, breaker, siblings=shared, path=self.path)
        open_s = breaker.open_duration_s * scenario.time_scale
        shortest_s = open_s if self.stays_open_s is None else self.stays_open_s
        probes = self.half_open_at_most or breaker.half_open_max_calls
        for life in lives:
            yield from life.illegal_moves()
            yield from opened_too_soon(history, life, breaker)
            yield from left_early(life, shortest_s, stalls_of(history))
            yield from traffic.while_open(life)
            yield from traffic.while_half_open(life, probes)
        yield from _refused(history, scenario, breaker, lives)
        yield from self._opens(history, scenario, breaker, lives)
        yield from self._closes(history, lives)

    def _opens(
        self, history: History, scenario: Scenario, breaker: Breaker, lives: Sequence[Life]
    ) -> Iterator[Complaint]:
        applied = [record.t_ns for record in history.of(FaultRecord) if record.what == "applied"]
        opened = [era.start_ns for life in lives for era in life.eras(OPEN)]
        if not opened:
            run = longest_failing_run(history, breaker)
            if self.must_open and run >= _sure_run(scenario, breaker):
                what = f"never opened, although {run} calls failed in a row"
                yield Complaint(t_ns=min(applied, default=0), what=what)
        elif self.opens_within_s is not None and applied:
            late = judge_late(min(applied), min(opened), self.opens_within_s, stalls_of(history))
            if late is not None:
                what = f"opened {late[0]:.3f} s later than allowed"
                yield Complaint(t_ns=min(opened), what=what, is_sure=late[1])

    def _closes(self, history: History, lives: Sequence[Life]) -> Iterator[Complaint]:
        heal_ns = history.last_heal_ns()
        if self.closes_within_s is None or heal_ns is None:
            return
        for life in lives:
            if not life.is_last or not life.moves:
                continue
            last = life.moves[-1]
            is_closed = last.to_state == CLOSED
            at_ns = last.t_ns if is_closed else life.end_ns
            late = judge_late(heal_ns, at_ns, self.closes_within_s, stalls_of(history))
            if late is not None:
                how = "closed" if is_closed else f"still {last.to_state}"
                what = f"{how} {late[0]:.3f} s later than allowed"
                yield Complaint(t_ns=at_ns, what=what, is_sure=late[1])
            elif not is_closed:
                what = f"still {last.to_state} when the run ended, which was before the bound"
                yield Complaint(t_ns=at_ns, what=what, is_sure=False)

    def _why_undecided(
        self,
        history: History,
        scenario: Scenario,
        openings: Sequence[object],
        complaints: Sequence[Complaint],
    ) -> str:
        breaker = _named(scenario, self.breaker)[0]
        missing = unreadable(history, breaker.service)
        if missing:
            return missing
        if not openings and self.must_open:
            run = longest_failing_run(history, breaker)
            return (
                f"it never opened, but only {run} calls failed in a row: "
                f"{_sure_run(scenario, breaker)} would be sure"
            )
        if complaints:
            return "a measured stall, or the end of the run, may explain what was late"
        return Traffic(history, breaker).missing(breaker.links) if openings else ""

    def _judge_never(
        self, question: Question, history: History, scenario: Scenario, breaker: Breaker
    ) -> Finding:
        lives = lives_of(history, breaker)
        opened = [era for life in lives for era in life.eras(OPEN)]
        loads = {load.name for load in scenario.loads if load.service == breaker.service}
        calls = sum(op.load in loads for op in history.of(Operation))
        complaints = [Complaint(t_ns=era.start_ns, what="opened") for era in opened]
        complaints += _refused_unopened(history, scenario, breaker, lives)
        if complaints:
            return question.failed(
                f"opened {len(opened)} times in {calls} calls",
                samples=calls,
                witnesses=_lines(complaints),
                at_ns=complaints[0].t_ns,
            )
        missing = unreadable(history, breaker.service)
        if missing or calls < SAMPLES_MIN:
            return question.undecided(missing or f"only {calls} calls", samples=calls)
        return question.passed(f"did not open in {calls} calls", samples=calls)


def _named(scenario: Scenario, name: str) -> list[Breaker]:
    return [breaker for breaker in scenario.system.breakers if breaker.name == name]


def _sure_run(scenario: Scenario, breaker: Breaker) -> int:
    """Return how many failures in a row surely had to open a breaker.

    Twice its threshold, since calls in flight and a window may hide some; once more for each
    breaker that shares its links, since some of the failures may have been theirs.
    """
    return breaker.failure_threshold * (2 + len(siblings_of(scenario.system, breaker)))


def _refused(
    history: History, scenario: Scenario, breaker: Breaker, lives: Sequence[Life]
) -> Iterator[Complaint]:
    """Yield refusals that come too late, or out of a closed breaker, where they are surely its."""
    yield from _refused_unopened(history, scenario, breaker, lives)
    if len(lives) == 1:
        loads = _own_loads(scenario, breaker)
        open_s = breaker.open_duration_s * scenario.time_scale
        for era in lives[0].eras(OPEN):
            yield from refused_late(history, era, loads, open_s, stalls_of(history))


def _refused_unopened(
    history: History, scenario: Scenario, breaker: Breaker, lives: Sequence[Life]
) -> Iterator[Complaint]:
    """Yield refusals by a breaker that says it was closed all the while."""
    loads = _own_loads(scenario, breaker)
    if unreadable(history, breaker.service):
        return
    eras = [
        (move.t_ns, following)
        for life in lives
        for move, following in zip(
            life.moves, [*(m.t_ns for m in life.moves[1:]), life.end_ns], strict=True
        )
        if move.to_state != CLOSED
    ]
    for op in history.of(Operation):
        if op.load not in loads or op.outcome != Outcome.REJECTED or op.rejected_by != "breaker":
            continue
        if not any(start_ns <= op.end_ns and op.started_ns <= end_ns for start_ns, end_ns in eras):
            what = f"{op.call_id} was refused by a breaker that says it was closed"
            yield Complaint(t_ns=op.t_ns, what=what)


def _own_loads(scenario: Scenario, breaker: Breaker) -> frozenset[str]:
    """Return the loads whose refusals are this breaker's: none if its service has several."""
    own = [item for item in scenario.system.breakers if item.service == breaker.service]
    if len(own) > 1:
        return frozenset()
    return frozenset(load.name for load in scenario.loads if load.service == breaker.service)


def _closed_after_s(history: History, lives: Sequence[Life]) -> float | None:
    """Return how long after the last heal the breaker closed for good; None if it did not."""
    heal_ns = history.last_heal_ns()
    last = [life.moves[-1] for life in lives if life.is_last and life.moves]
    if heal_ns is None or not last or any(move.to_state != CLOSED for move in last):
        return None
    return max(0.0, max(move.t_ns - heal_ns for move in last) / NS_PER_S)


def _lines(complaints: Sequence[Complaint]) -> list[str]:
    return [f"{item.what} (at {seconds(item.t_ns):.3f} s)" for item in complaints]

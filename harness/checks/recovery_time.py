"""The check `recovery_time`: the system is itself again soon after the last fault is healed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.checks.proportions import SAMPLES_MIN, Decision, decide_at_least
from harness.checks.question import Question, seconds, witness
from harness.checks.recovery import is_good, recovery_of, slo_of
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History, Window
from harness.model.records import NS_PER_S, Operation, Source
from harness.model.scenario import Scenario
from harness.model.verdict import Verdict

PLATEAU_MARGIN = 0.20  # what 30 operations can rule out; a hold of some seconds has no more


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryTime:
    """Judge the operations of the stretch that begins at the deadline, and report the time.

    An operation is good if it is OK, was answered from `source`, and took no longer than the
    steady state allows. The verdict rests on the operations intended in
    [last heal + at_most, + hold], by an exact test at one in a million; if the run ended before
    because the system had settled, on those of its last `hold`. The reported time is an
    estimate, the most likely change point, and never decides.
    """

    name: ClassVar[str] = "recovery_time"
    summary: ClassVar[str] = "the system recovers within a bound after the last heal"
    is_timed: ClassVar[bool] = True

    load: str = field(metadata=meta(Kind.LOAD, "the operations that show it"))
    at_most_s: float = field(
        metadata=meta(Kind.DURATION, "bound, from the read-back of the last heal", minimum=0.0)
    )
    hold_s: float | None = field(
        default=None,
        metadata=meta(
            Kind.DURATION, "how long it is looked at; as long as settle holds", minimum=0.001
        ),
    )
    source: str = field(
        default="primary",  # answers of a fallback show that the fault is survived, not over
        metadata=meta(
            Kind.CHOICE, "where good answers come from", choices=("any", *map(str, Source))
        ),
    )
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(Kind.COUNT, "with fewer operations nothing is decided", minimum=1),
    )

    def judge(self, history: History, scenario: Scenario) -> Finding:
        """Return whether it recovered in time, and after how long."""
        question = self._question()
        heal_ns = history.last_heal_ns()
        if heal_ns is None:
            return question.undecided("no fault was healed, so there is nothing to recover from")
        hold_s = scenario.settle.hold_s if self.hold_s is None else self.hold_s
        hold_ns = round(hold_s * NS_PER_S)
        deadline_ns = heal_ns + round(self.at_most_s * NS_PER_S)
        end_ns = self._end_ns(history, scenario)
        at_deadline = Window(start_ns=deadline_ns, end_ns=min(deadline_ns + hold_ns, end_ns))
        finding = self._decide(question, history, scenario, at_deadline)
        if finding.verdict is Verdict.FAILED or deadline_ns + hold_ns <= end_ns:
            return finding
        if end_ns - hold_ns < heal_ns:
            return question.undecided(
                f"the load ends {(end_ns - heal_ns) / NS_PER_S:.3f} s after the last heal, "
                f"before it could hold for {hold_s:g} s",
                samples=finding.samples,
            )
        last = Window(start_ns=end_ns - hold_ns, end_ns=end_ns)
        return self._decide(question, history, scenario, last, is_early=True)

    def _question(self) -> Question:
        return Question(
            check=f"{self.name}({self.load})",
            expected=f"recovered at most {self.at_most_s:g} s after the last heal",
            needed=self.samples,
            limit=self.at_most_s,
            unit="s",
        )

    def _end_ns(self, history: History, scenario: Scenario) -> int:
        """Return when the load ends: with the run, unless it is bounded."""
        operations = history.operations(self.load)
        last_ns = operations[-1].t_ns + 1 if operations else 0
        run = history.run_window()
        is_bounded = any(
            load.name == self.load and (load.duration_s, load.count) != (None, None)
            for load in scenario.loads
        )
        return last_ns if is_bounded or run is None else run.end_ns

    def _decide(
        self,
        question: Question,
        history: History,
        scenario: Scenario,
        window: Window,
        *,
        is_early: bool = False,
    ) -> Finding:
        steady_state = scenario.steady_state
        judged = history.operations(self.load, window)
        bad = [op for op in judged if not is_good(op, steady_state, self.source)]
        decision = self._compare(judged, bad, slo_of(steady_state), is_early=is_early)
        value_s, told = recovery_of(history, self.load, steady_state, self.source)
        return question.answer(
            decision.verdict,
            f"{told}; {len(judged) - len(bad)} of {len(judged)} operations were good from "
            f"{seconds(window.start_ns):.3f} s to {seconds(window.end_ns):.3f} s",
            reason=decision.reason,
            needed=decision.needed,
            samples=len(judged),
            value=value_s,
            witnesses=[_line(operation) for operation in bad[:5]],
            at_ns=bad[0].t_ns if bad else None,
        )

    def _compare(
        self, judged: Sequence[Operation], bad: Sequence[Operation], slo: float, *, is_early: bool
    ) -> Decision:
        good = len(judged) - len(bad)
        decision = decide_at_least(
            good, len(judged), bound=slo, samples=self.samples, margin=PLATEAU_MARGIN
        )
        if is_early and decision.verdict is Verdict.FAILED:
            reason = "the run ended before the bound; let settle go on for at_most + hold"
            return Decision(verdict=Verdict.INCONCLUSIVE, reason=reason, needed=decision.needed)
        return decision


def _line(operation: Operation) -> str:
    what = f"{operation.outcome} from {operation.source or 'unknown source'}"
    return witness(operation.call_id, operation.t_ns, f"{what} in {operation.latency_s:.3f} s")

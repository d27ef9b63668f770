"""The check `latency`: answers come in time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.checks.percentiles import answer_latency_s, nearest_rank
from harness.checks.phases import DURING, window_of
from harness.checks.proportions import FALSE_ALARM, SAMPLES_MIN, Decision, decide_at_least
from harness.checks.question import Question, witness
from harness.checks.stalls import STALL_FACTOR, Stalls, stalls_of
from harness.checks.statistics import reject_high
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import NS_PER_S, Operation
from harness.model.scenario import Scenario
from harness.model.verdict import Verdict

PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
MASKED_MAX_RATIO = 0.20  # beyond, the machine was measured and not the service
_BLOCK_NS = 100_000_000  # one hiccup delays many operations: blocks make it one event


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Compare a percentile of latency, from the intended start to the answer, with a bound.

    Any complete answer counts, a refusal too; an operation without one counts as slower than
    every bound. Operations that only a measured stall of the machine made too slow are left
    out, up to a fifth of all. FAILED needs more slow operations than chance explains, and slow
    ones in more 100 ms blocks than chance explains: neighbours are late for one common reason.

    Raises:
        ValueError: If neither bound is given, or they contradict each other.
    """

    name: ClassVar[str] = "latency"
    summary: ClassVar[str] = "a percentile of latency stays within a bound"
    is_timed: ClassVar[bool] = True

    load: str = field(metadata=meta(Kind.LOAD, "the operations that count"))
    during: str = field(metadata=meta(Kind.CHOICE, "the phase, or the whole run", choices=DURING))
    percentile: str = field(
        default="p95",  # p99 needs a thousand operations, the median hides the slow ones
        metadata=meta(Kind.CHOICE, "which percentile", choices=tuple(PERCENTILES)),
    )
    at_most_s: float | None = field(
        default=None,
        metadata=meta(Kind.DURATION, "largest value; real time", minimum=0.001, is_scaled=False),
    )
    at_least_s: float | None = field(
        default=None,
        metadata=meta(
            Kind.DURATION, "smallest value, to show that an injected delay bites", minimum=0.001
        ),
    )
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(Kind.COUNT, "with fewer operations nothing is decided", minimum=1),
    )

    def __post_init__(self) -> None:
        if self.at_most_s is None and self.at_least_s is None:
            raise ValueError("at_most: expected a duration such as '300ms', here or as at_least")
        if self.at_most_s is not None and (self.at_least_s or 0.0) > self.at_most_s:
            raise ValueError(
                f"at_most: {self.at_most_s:g} s is below at_least {self.at_least_s:g} s"
            )

    def judge(self, history: History, scenario: Scenario) -> Finding:  # noqa: ARG002 -- protocol
        """Return whether the percentile kept its bounds."""
        question = self._question()
        window = window_of(history, self.during)
        if window is None:
            return question.undecided(f"the run has no phase {self.during}")
        operations = history.operations(self.load, window)
        if self.at_least_s is not None:
            early = self._too_fast(operations)
            if early.verdict is not Verdict.PASSED or self.at_most_s is None:
                return self._answer(question, operations, early)
        kept = self._without_stalled(operations, stalls_of(history))
        masked = len(operations) - len(kept)
        if masked > MASKED_MAX_RATIO * len(operations):
            return question.undecided(
                f"the machine stalled: {masked} of {len(operations)} operations overlap a stall, "
                f"more than {MASKED_MAX_RATIO:.0%}",
                is_noisy=True,
                samples=len(kept),
            )
        return self._answer(question, kept, self._too_slow(kept), masked)

    def _question(self) -> Question:
        parts = []
        if self.at_most_s is not None:
            parts.append(f"at most {self.at_most_s:g} s")
        if self.at_least_s is not None:
            parts.append(f"at least {self.at_least_s:g} s")
        return Question(
            check=f"{self.name}({self.load}, {self.during}, {self.percentile})",
            expected=f"{self.percentile} of latency is {' and '.join(parts)}",
            needed=self.samples,
            limit=self.at_least_s if self.at_most_s is None else self.at_most_s,
            unit="s",
        )

    def _too_fast(self, operations: Sequence[Operation]) -> Decision:
        """Decide whether the slowest ones are as slow as they have to be."""
        bound_s = self.at_least_s or 0.0
        slow = sum(operation.latency_s >= bound_s for operation in operations)
        share = 1.0 - PERCENTILES[self.percentile]
        return decide_at_least(slow, len(operations), bound=share, samples=self.samples)

    def _too_slow(self, operations: Sequence[Operation]) -> Decision:
        bound_s = math.inf if self.at_most_s is None else self.at_most_s
        share = PERCENTILES[self.percentile]
        slow = [operation for operation in operations if answer_latency_s(operation) > bound_s]
        decision = decide_at_least(
            len(operations) - len(slow), len(operations), bound=share, samples=self.samples
        )
        if decision.verdict is not Verdict.FAILED:
            return decision
        blocks = {operation.t_ns // _BLOCK_NS for operation in operations}
        slow_blocks = {operation.t_ns // _BLOCK_NS for operation in slow}
        if len(slow_blocks) >= reject_high(len(blocks), 1.0 - share, FALSE_ALARM):
            return decision
        reason = f"the slow ones stand in {len(slow_blocks)} blocks of 100 ms: too few episodes"
        return Decision(verdict=Verdict.INCONCLUSIVE, reason=reason, needed=decision.needed)

    def _without_stalled(self, operations: Sequence[Operation], stalls: Stalls) -> list[Operation]:
        bound_s = math.inf if self.at_most_s is None else self.at_most_s

        def is_excused(operation: Operation) -> bool:
            if operation.latency_s <= bound_s or operation.status is None:
                return False
            stall_s = stalls.largest_s(operation.t_ns, operation.end_ns)
            return operation.latency_s - STALL_FACTOR * stall_s <= bound_s

        return [operation for operation in operations if not is_excused(operation)]

    def _answer(
        self,
        question: Question,
        operations: Sequence[Operation],
        decision: Decision,
        masked: int = 0,
    ) -> Finding:
        value = nearest_rank(map(answer_latency_s, operations), PERCENTILES[self.percentile])
        is_known = value is not None and math.isfinite(value)
        got = "no operation" if value is None else f"{value:.3f} s" if is_known else "no answer"
        slowest = sorted(operations, key=answer_latency_s, reverse=True)
        return question.answer(
            decision.verdict,
            f"{self.percentile} {got} over {len(operations)} operations"
            + (f", {masked} left out for stalls" if masked else ""),
            reason=decision.reason,
            needed=decision.needed,
            samples=len(operations),
            value=value if is_known else None,
            witnesses=[_line(operation) for operation in slowest[:5]],
            at_ns=slowest[0].t_ns if slowest else None,
        )


def _line(operation: Operation) -> str:
    took_s = (operation.end_ns - operation.t_ns) / NS_PER_S
    what = f"{took_s:.3f} s" if operation.status is not None else f"no answer in {took_s:.3f} s"
    return witness(operation.call_id, operation.t_ns, what)

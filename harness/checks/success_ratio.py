"""The check `success_ratio`: enough operations succeed."""

from dataclasses import dataclass, field
from typing import ClassVar

from harness.checks.phases import DURING, window_of
from harness.checks.proportions import (
    SAMPLES_MIN,
    Decision,
    decide_at_least,
    decide_at_most,
)
from harness.checks.question import Question, witness
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import Operation, Outcome
from harness.model.scenario import Scenario
from harness.model.verdict import worst


@dataclass(frozen=True, slots=True, kw_only=True)
class SuccessRatio:
    """Compare the share of operations whose outcome is OK with a bound.

    An operation that was rejected, or whose outcome is unknown, is not OK: its client went
    without an answer. The decision is exact (`proportions.py`): FAILED is sure to one in a
    million, PASSED rules out a service ten points below the bound, the rest is INCONCLUSIVE.

    Raises:
        ValueError: If neither bound is given, or they contradict each other.
    """

    name: ClassVar[str] = "success_ratio"
    summary: ClassVar[str] = "enough operations of a load succeed"

    load: str = field(metadata=meta(Kind.LOAD, "the operations that count"))
    during: str = field(metadata=meta(Kind.CHOICE, "the phase, or the whole run", choices=DURING))
    at_least_ratio: float | None = field(
        default=None,
        metadata=meta(Kind.RATIO, "least share that is OK", minimum=0.0, maximum=1.0),
    )
    at_most_ratio: float | None = field(
        default=None,
        metadata=meta(
            Kind.RATIO, "largest share that is OK, to show that a fault bites", minimum=0, maximum=1
        ),
    )
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(Kind.COUNT, "with fewer operations nothing is decided", minimum=1),
    )

    def __post_init__(self) -> None:
        if self.at_least_ratio is None and self.at_most_ratio is None:
            raise ValueError("at_least: expected a share such as '99%', here or as at_most")
        if (self.at_least_ratio or 0.0) > (
            1.0 if self.at_most_ratio is None else self.at_most_ratio
        ):
            raise ValueError(
                f"at_most: {self.at_most_ratio:.1%} is below at_least {self.at_least_ratio:.1%}"
            )

    def judge(self, history: History, scenario: Scenario) -> Finding:  # noqa: ARG002 -- protocol
        """Return whether the share met its bounds."""
        window = window_of(history, self.during)
        question = self._question()
        if window is None:
            return question.undecided(f"the run has no phase {self.during}")
        operations = history.operations(self.load, window)
        bad = [operation for operation in operations if operation.outcome != Outcome.OK]
        total, good = len(operations), len(operations) - len(bad)
        decisions = self._decide(good, total)
        verdict = worst(decision.verdict for decision in decisions)
        decision = next(decision for decision in decisions if decision.verdict is verdict)
        return question.answer(
            verdict,
            f"{good} of {total} operations were OK{f' ({good / total:.2%})' if total else ''}",
            reason=decision.reason,
            needed=max(decision.needed for decision in decisions),
            samples=total,
            value=good / total if total else None,
            witnesses=[_line(operation) for operation in bad[:5]],
            at_ns=bad[0].t_ns if bad else None,
        )

    def _question(self) -> Question:
        parts = []
        if self.at_least_ratio is not None:
            parts.append(f"at least {self.at_least_ratio:.2%}")
        if self.at_most_ratio is not None:
            parts.append(f"at most {self.at_most_ratio:.2%}")
        return Question(
            check=f"{self.name}({self.load}, {self.during})",
            expected=f"{' and '.join(parts)} of the operations are OK",
            needed=self.samples,
            limit=self.at_most_ratio if self.at_least_ratio is None else self.at_least_ratio,
            unit="ratio",
        )

    def _decide(self, good: int, total: int) -> list[Decision]:
        decisions = []
        if self.at_least_ratio is not None:
            decisions.append(
                decide_at_least(good, total, bound=self.at_least_ratio, samples=self.samples)
            )
        if self.at_most_ratio is not None:
            decisions.append(
                decide_at_most(good, total, bound=self.at_most_ratio, samples=self.samples)
            )
        return decisions


def _line(operation: Operation) -> str:
    why = operation.reason or f"status {operation.status}"
    return witness(operation.call_id, operation.t_ns, f"{operation.outcome} ({why})")

"""The check `fallback`: another source answers while the first one cannot."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from harness.checks.phases import DURING, window_of
from harness.checks.proportions import SAMPLES_MIN, decide_at_least
from harness.checks.question import Question, witness
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import FallbackUse, Operation, Outcome, Source
from harness.model.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """Compare the share of operations that one source answered, and how old its answers were.

    The share is taken of all operations, so one that failed counts against it; the age and the
    source are those that the client read in the answer. The service's own `fallback` events are
    a claim: a different source for the same call is FAILED, and so is an answer older than
    `max_age`.

    Raises:
        ValueError: If `max_age` is given for answers that have no age.
    """

    name: ClassVar[str] = "fallback"
    summary: ClassVar[str] = "a fallback answers, with nothing older than allowed"

    load: str = field(metadata=meta(Kind.LOAD, "the operations that count"))
    during: str = field(metadata=meta(Kind.CHOICE, "the phase, or the whole run", choices=DURING))
    source: str = field(
        metadata=meta(Kind.CHOICE, "where the answers come from", choices=tuple(map(str, Source)))
    )
    at_least_ratio: float = field(
        metadata=meta(Kind.RATIO, "least share of all operations", minimum=0.0, maximum=1.0)
    )
    max_age_s: float | None = field(
        default=None,
        metadata=meta(Kind.DURATION, "oldest answer from that source", minimum=0.0),
    )
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(Kind.COUNT, "with fewer operations nothing is decided", minimum=1),
    )

    def __post_init__(self) -> None:
        if self.max_age_s is not None and self.source != Source.STALE_CACHE:
            raise ValueError(
                f"max_age: only answers from stale_cache have an age, not {self.source}"
            )

    def judge(self, history: History, scenario: Scenario) -> Finding:  # noqa: ARG002 -- protocol
        """Return whether the source answered often enough, with answers young enough."""
        question = self._question()
        window = window_of(history, self.during)
        if window is None:
            return question.undecided(f"the run has no phase {self.during}")
        operations = history.operations(self.load, window)
        answered = [
            op for op in operations if op.outcome == Outcome.OK and op.source == self.source
        ]
        wrong = [*self._too_old(answered), *_contradicted(operations, history)]
        if wrong:
            return question.failed(
                f"{len(wrong)} answers are too old, or the service says another source",
                samples=len(operations),
                value=_share(len(answered), len(operations)),
                witnesses=[line for _, line in wrong],
                at_ns=wrong[0][0],
            )
        if self.max_age_s is not None and any(op.age_s is None for op in answered):
            return question.undecided(
                "answers do not say how old they are (x-atlas-age-s)", samples=len(answered)
            )
        return self._compare(question, operations, answered)

    def _question(self) -> Question:
        age = "" if self.max_age_s is None else f", none older than {self.max_age_s:g} s"
        return Question(
            check=f"{self.name}({self.load}, {self.during}, {self.source})",
            expected=f"at least {self.at_least_ratio:.2%} of answers from {self.source}{age}",
            needed=self.samples,
            limit=self.at_least_ratio,
            unit="ratio",
        )

    def _too_old(self, answered: Sequence[Operation]) -> list[tuple[int, str]]:
        if self.max_age_s is None:
            return []
        old = [op for op in answered if op.age_s is not None and op.age_s > self.max_age_s]
        old.sort(key=lambda op: op.age_s or 0.0, reverse=True)
        return [(op.t_ns, witness(op.call_id, op.t_ns, f"{op.age_s:g} s old")) for op in old]

    def _compare(
        self, question: Question, operations: Sequence[Operation], answered: Sequence[Operation]
    ) -> Finding:
        decision = decide_at_least(
            len(answered), len(operations), bound=self.at_least_ratio, samples=self.samples
        )
        ids = {op.call_id for op in answered}
        others = [op for op in operations if op.call_id not in ids]
        oldest = max((op.age_s for op in answered if op.age_s is not None), default=None)
        age = "" if oldest is None else f", the oldest {oldest:.3f} s old"
        return question.answer(
            decision.verdict,
            f"{len(answered)} of {len(operations)} came from {self.source}{age}",
            reason=decision.reason,
            needed=decision.needed,
            samples=len(operations),
            value=_share(len(answered), len(operations)),
            witnesses=[
                witness(op.call_id, op.t_ns, f"{op.outcome} from {op.source or 'unknown source'}")
                for op in others[:5]
            ],
            at_ns=others[0].t_ns if others else None,
        )


def _contradicted(operations: Sequence[Operation], history: History) -> list[tuple[int, str]]:
    """Return the answers for which the service names another source than the answer itself."""
    claimed = {use.call_id: use.source for use in history.of(FallbackUse) if use.call_id}
    return [
        (
            op.t_ns,
            witness(op.call_id, op.t_ns, f"{op.source}, the service says {claimed[op.call_id]}"),
        )
        for op in operations
        if op.outcome == Outcome.OK
        and op.source is not None
        and claimed.get(op.call_id, op.source) != op.source
    ]


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None

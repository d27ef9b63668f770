"""The check `answer_source`: answers come from where they should."""

from dataclasses import dataclass, field
from typing import ClassVar

from harness.checks.phases import DURING, window_of
from harness.checks.proportions import SAMPLES_MIN
from harness.checks.question import Question, listed, witness
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import Outcome, Source
from harness.model.scenario import Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSource:
    """Look at the source of every OK answer; a single one from elsewhere is FAILED.

    No chance is involved, so nothing is tolerated; an answer that does not name its source
    decides nothing.

    Raises:
        ValueError: If `only` names no source.
    """

    name: ClassVar[str] = "answer_source"
    summary: ClassVar[str] = "every answer comes from an allowed source"

    load: str = field(metadata=meta(Kind.LOAD, "the operations that count"))
    during: str = field(metadata=meta(Kind.CHOICE, "the phase, or the whole run", choices=DURING))
    only: tuple[str, ...] = field(
        metadata=meta(Kind.CHOICES, "the allowed sources", choices=tuple(map(str, Source)))
    )
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(Kind.COUNT, "with fewer answers nothing is proved", minimum=1),
    )

    def __post_init__(self) -> None:
        if not self.only:
            raise ValueError("only: expected at least one source, e.g. [primary]")

    def judge(self, history: History, scenario: Scenario) -> Finding:  # noqa: ARG002 -- protocol
        """Return whether all answers came from an allowed source."""
        question = Question(
            check=f"{self.name}({self.load}, {self.during})",
            expected=f"every answer comes from {listed(self.only)}",
            needed=self.samples,
        )
        window = window_of(history, self.during)
        if window is None:
            return question.undecided(f"the run has no phase {self.during}")
        operations = history.operations(self.load, window)
        answers = [op for op in operations if op.outcome == Outcome.OK]
        strange = [op for op in answers if op.source is not None and op.source not in self.only]
        unnamed = sum(op.source is None for op in answers)
        n = len(answers)
        if strange:
            return question.failed(
                f"{len(strange)} of {n} answers came from elsewhere",
                samples=n,
                value=float(len(strange)),
                limit=0.0,
                witnesses=[witness(op.call_id, op.t_ns, f"from {op.source}") for op in strange],
                at_ns=strange[0].t_ns,
            )
        if unnamed:
            reason = f"{unnamed} of {n} answers do not name their source (x-atlas-source)"
            return question.undecided(reason, samples=n)
        if n < self.samples:
            reason = f"only {n} of the {self.samples} answers that it needs"
            return question.undecided(reason, samples=n)
        return question.passed(f"all {n} answers did", samples=n, value=0.0, limit=0.0)

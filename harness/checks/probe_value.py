"""The check `probe_value`: a quantity of the system has, or reaches, a value."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.checks.phases import DURING, window_of
from harness.checks.question import Question, seconds
from harness.model.fields import Kind, meta
from harness.model.finding import Finding
from harness.model.history import History
from harness.model.records import Probe
from harness.model.scenario import Scenario

SAMPLES_MIN = 3  # one answer can be a moment; probes are slow, so not many more


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeValue:
    """Compare a value in the answers of a probe: in each of them, or in at least one.

    Answers that do not come, or without the value, are no evidence either way.

    Raises:
        ValueError: If there is no comparison, or more than one.
    """

    name: ClassVar[str] = "probe_value"
    summary: ClassVar[str] = "a probed quantity always has, or once reaches, a value"

    probe: str = field(metadata=meta(Kind.PROBE, "the probe"))
    value: str = field(metadata=meta(Kind.TEXT, "dotted path of the value, e.g. tasks.open"))
    during: str = field(metadata=meta(Kind.CHOICE, "the phase, or the whole run", choices=DURING))
    equals: str | None = field(
        default=None, metadata=meta(Kind.TEXT, "the value; a number, or true or false, in quotes")
    )
    not_equals: str | None = field(default=None, metadata=meta(Kind.TEXT, "any value but this one"))
    at_most: float | None = field(default=None, metadata=meta(Kind.NUMBER, "largest value"))
    at_least: float | None = field(default=None, metadata=meta(Kind.NUMBER, "smallest value"))
    holds: str = field(
        default="always",
        metadata=meta(
            Kind.CHOICE, "in every answer, or in at least one", choices=("always", "ever")
        ),
    )
    samples: int = field(
        default=SAMPLES_MIN,
        metadata=meta(Kind.COUNT, "with fewer answers nothing is proved", minimum=1),
    )

    def __post_init__(self) -> None:
        given = self._comparisons()
        if len(given) != 1:
            names = " and ".join(given) or "none"
            raise ValueError(
                f"equals: expected one of equals, not_equals, at_most and at_least, got {names}"
            )

    def judge(self, history: History, scenario: Scenario) -> Finding:  # noqa: ARG002 -- protocol
        """Return whether the value held, always or ever."""
        question = self._question()
        window = window_of(history, self.during)
        if window is None:
            return question.undecided(f"the run has no phase {self.during}")
        answers = [p for p in history.within(Probe, window) if p.probe == self.probe]
        read = [answer for answer in answers if self.value in answer.values]
        met = [answer for answer in read if self._holds(answer.values[self.value])]
        broken = [answer for answer in read if not self._holds(answer.values[self.value])]
        if self.holds == "always" and broken:
            return self._failed(question, broken, f"{len(broken)} of {len(read)} answers differ")
        if self.holds == "ever" and met:
            first = met[0]
            return question.passed(
                f"{first.values[self.value]!r} at {seconds(first.t_ns):.3f} s", samples=len(read)
            )
        if len(read) < self.samples:
            return question.undecided(
                f"{len(read)} of {len(answers)} answers hold {self.value}, it needs {self.samples}",
                samples=len(read),
            )
        if self.holds == "ever":
            return self._failed(question, broken, f"in none of {len(read)} answers")
        return question.passed(f"in all {len(read)} answers", samples=len(read))

    def _comparisons(self) -> dict[str, Any]:
        given = {
            "equals": self.equals,
            "not_equals": self.not_equals,
            "at_most": self.at_most,
            "at_least": self.at_least,
        }
        return {name: bound for name, bound in given.items() if bound is not None}

    def _question(self) -> Question:
        ((comparison, bound),) = self._comparisons().items()
        return Question(
            check=f"{self.name}({self.probe}, {self.value}, {self.during})",
            expected=f"{self.value} {self.holds} {comparison.replace('_', ' ')} {bound}",
            needed=self.samples,
        )

    def _holds(self, value: Any) -> bool:
        if self.equals is not None:
            return as_text(value) == as_text(self.equals)
        if self.not_equals is not None:
            return as_text(value) != as_text(self.not_equals)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return (self.at_most is None or value <= self.at_most) and (
            self.at_least is None or value >= self.at_least
        )

    def _failed(self, question: Question, broken: Sequence[Probe], got: str) -> Finding:
        lines = [
            f"{self.probe} at {seconds(p.t_ns):.3f} s: {p.values[self.value]!r}" for p in broken
        ]
        return question.failed(got, samples=len(broken), witnesses=lines, at_ns=broken[0].t_ns)


def as_text(value: Any) -> str:
    """Return a JSON scalar as a scenario file writes it.

    >>> as_text(True), as_text(0.0), as_text("healthy"), as_text(None)
    ('true', '0', 'healthy', 'null')
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)

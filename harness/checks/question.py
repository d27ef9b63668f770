"""What a check asks of a history, and how it puts its answer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.model.finding import Finding
from harness.model.records import NS_PER_S
from harness.model.verdict import Verdict

WITNESSES_MAX = 5  # enough to see a pattern; the history holds the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What has to hold, before anybody looked.

    Args:
        check: The check, and what it looks at.
        expected: What has to hold, in words and figures.
        needed: Samples that an answer needs.
        limit: The bound that the measured figure is compared with.
        unit: Unit of both.
    """

    check: str
    expected: str
    needed: int = 0
    limit: float | None = None
    unit: str = ""

    def passed(self, got: str, **more: Any) -> Finding:
        """Return the finding that it held."""
        return self.answer(Verdict.PASSED, got, **more)

    def failed(self, got: str, **more: Any) -> Finding:
        """Return the finding that it surely did not hold."""
        return self.answer(Verdict.FAILED, got, **more)

    def undecided(self, reason: str, got: str = "not decided", **more: Any) -> Finding:
        """Return the finding that the evidence cannot decide, and why."""
        return self.answer(Verdict.INCONCLUSIVE, got, reason=reason, **more)

    def answer(self, verdict: Verdict, got: str, **more: Any) -> Finding:
        """Return a finding; `more` are further fields of it, and win over those of the question."""
        fields: dict[str, Any] = {"needed": self.needed, "limit": self.limit, "unit": self.unit}
        fields.update(more)
        fields["witnesses"] = tuple(fields.get("witnesses", ()))[:WITNESSES_MAX]
        return Finding(check=self.check, verdict=verdict, expected=self.expected, got=got, **fields)


def witness(call_id: str, t_ns: int, what: str) -> str:
    """Return one line of evidence: whose call, when, what happened."""
    return f"{call_id} at {seconds(t_ns):.3f} s: {what}"


def seconds(t_ns: int) -> float:
    """Return nanoseconds as seconds."""
    return t_ns / NS_PER_S


def listed(names: Iterable[str]) -> str:
    """Return names in a sentence: `a`, `a or b`, `a, b or c`.

    >>> listed(["finished", "failed", "skipped"])
    'finished, failed or skipped'
    """
    words = list(names)
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)

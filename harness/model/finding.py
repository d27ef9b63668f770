"""What one check says about one run."""

from dataclasses import dataclass, field

from harness.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The answer of one check, with what it rests on.

    Args:
        check: Name of the check, and of what it looked at, e.g. `success_ratio(lookups, fault)`.
        verdict: PASSED, FAILED or INCONCLUSIVE (HARNESS_ERROR if the check itself broke).
        expected: What had to hold, in words and figures.
        got: What was seen.
        reason: Why it could not be decided, or what broke; empty for PASSED.
        is_noisy: Whether it could not be decided because of the machine; another run may decide.
        samples: How many operations or events the answer rests on.
        needed: How many it needs at least.
        value: The measured figure, if it is one number (seconds, ratio, count).
        limit: The bound that `value` is compared with.
        unit: Unit of both, e.g. `s`; empty for a plain number.
        witnesses: The worst cases, one line each.
        at_ns: When the worst case happened, ns since the start of the run.
    """

    check: str
    verdict: Verdict
    expected: str
    got: str
    reason: str = ""
    is_noisy: bool = False
    samples: int = 0
    needed: int = 0
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    witnesses: tuple[str, ...] = field(default=())
    at_ns: int | None = None

    @property
    def name(self) -> str:
        """Return the check's name without what it looked at."""
        return self.check.partition("(")[0]

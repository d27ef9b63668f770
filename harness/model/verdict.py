"""The five verdicts, and the one place where they are compared (docs/adr/0003-five-verdicts.md)."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """What a check, a run or a suite comes to; the members stand worst first."""

    HARNESS_ERROR = "HARNESS_ERROR"
    FAILED = "FAILED"
    INCONCLUSIVE = "INCONCLUSIVE"
    PASSED = "PASSED"
    SKIPPED = "SKIPPED"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst verdict; none at all is INCONCLUSIVE, since nothing was proved.

    >>> worst([Verdict.PASSED, Verdict.FAILED])
    <Verdict.FAILED: 'FAILED'>
    >>> worst([])
    <Verdict.INCONCLUSIVE: 'INCONCLUSIVE'>
    """
    order = list(Verdict)
    return min(verdicts, key=order.index, default=Verdict.INCONCLUSIVE)

"""The table of checks that every report shows, as plain rows."""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.model.finding import Finding
from harness.model.verdict import Verdict
from harness.reporting.quantities import quantity

MARKS = {
    Verdict.PASSED: "ok",
    Verdict.FAILED: "FAIL",
    Verdict.INCONCLUSIVE: "UNSURE",
    Verdict.HARNESS_ERROR: "BROKE",
    Verdict.SKIPPED: "skip",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One check in words: what had to hold, what was seen, how far apart, on how much."""

    mark: str
    verdict: Verdict
    check: str
    expected: str
    got: str
    margin: str
    samples: str
    reason: str


HEADINGS = ("", "check", "expected", "got", "margin", "samples")


def rows_of(findings: Iterable[Finding]) -> list[CheckRow]:
    """Return one row per finding, the worst verdicts first."""
    order = list(Verdict)
    return [_row(item) for item in sorted(findings, key=lambda item: order.index(item.verdict))]


def _row(finding: Finding) -> CheckRow:
    return CheckRow(
        mark=MARKS[finding.verdict],
        verdict=finding.verdict,
        check=finding.check,
        expected=finding.expected,
        got=finding.got,
        margin=margin_of(finding),
        samples=samples_of(finding),
        reason=finding.reason,
    )


def margin_of(finding: Finding) -> str:
    """Return how far the figure is from its limit; empty if there is no single figure.

    >>> margin_of(Finding(check="recovery_time(lookups)", verdict=Verdict.FAILED,
    ...     expected="at most 10 s", got="14.9 s", value=14.9, limit=10.0, unit="s"))
    '4.9 s over'
    """
    if finding.value is None or finding.limit is None:
        return ""
    difference = finding.value - finding.limit
    if difference == 0.0:
        return "at the limit"
    side = "over" if difference > 0 else "under"
    return f"{_difference(abs(difference), finding.unit)} {side}"


def _difference(size: float, unit: str) -> str:
    if unit in ("ratio", "%"):
        points = f"{size * 100.0:.2f}".rstrip("0").rstrip(".")
        return f"{points} point" if points == "1" else f"{points} points"
    return quantity(size, unit)


def samples_of(finding: Finding) -> str:
    """Return the number of samples; `7 of 20` where fewer were there than it takes."""
    if finding.samples < finding.needed:
        return f"{finding.samples} of {finding.needed}"
    return str(finding.samples) if finding.samples or finding.needed else ""


def cells(row: CheckRow) -> tuple[str, ...]:
    """Return the cells of a row in the order of `HEADINGS`."""
    return (row.mark, row.check, row.expected, row.got, row.margin, row.samples)

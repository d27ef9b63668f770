"""Write a summary in GitHub's Markdown, for the page of a CI step."""

from collections.abc import Sequence

from harness.model.finding import Finding
from harness.model.verdict import Verdict
from harness.reporting.check_table import HEADINGS, cells, rows_of
from harness.reporting.console import key_figures, last_line
from harness.reporting.quantities import seconds
from harness.reporting.run_report import RunReport, worst_first

_SIGNS = {
    Verdict.PASSED: "✅",
    Verdict.FAILED: "❌",
    Verdict.INCONCLUSIVE: "❔",
    Verdict.HARNESS_ERROR: "💥",
    Verdict.SKIPPED: "⏭️",
}
_WITNESSES_MAX = 3
# GitHub shows at most 1 MiB per step, and other steps of ours may have written before.
SUMMARY_MAX_BYTES = 900_000
_REST = "The page is full; the rest is in summary.json."


def summary(reports: Sequence[RunReport]) -> str:
    """Return the document: the counts, a row per scenario, then what did not pass."""
    lines = ["# Chaos scenarios", "", f"**{_escaped(last_line(reports))}**", ""]
    if reports:
        lines += ["| verdict | scenario | duration | figures |", "|---|---|---:|---|"]
        lines += [_row(report) for report in worst_first(reports)]
    bad = [r for r in worst_first(reports) if r.verdict not in (Verdict.PASSED, Verdict.SKIPPED)]
    room = SUMMARY_MAX_BYTES - len("\n".join([*lines, "", _REST, ""]).encode())
    for report in bad:
        section = _section(report)
        room -= len("\n".join(section).encode()) + 1
        if room < 0:
            return "\n".join([*lines, "", _REST, ""])
        lines += section
    return "\n".join(lines) + "\n"


def _row(report: RunReport) -> str:
    verdict = f"{_SIGNS[report.verdict]} {report.verdict.replace('_', ' ')}"
    told = report.sentence if report.verdict is Verdict.SKIPPED else key_figures(report)
    took = seconds(report.duration_s) if report.duration_s else ""
    return f"| {verdict} | {_escaped(report.name)} | {took} | {_escaped(told)} |"


def _section(report: RunReport) -> list[str]:
    lines = ["", f"## {_SIGNS[report.verdict]} {_escaped(report.name)}", ""]
    lines += [_escaped(report.sentence), "", f"> {_escaped(report.claim)}"]
    if report.findings:
        lines += ["", "| " + " | ".join(HEADINGS) + " |", "|---|---|---|---|---:|---:|"]
        for row in rows_of(report.findings):
            lines.append("| " + " | ".join(_escaped(cell) for cell in cells(row)) + " |")
    witnesses = [w for item in report.findings if item.reason or item.witnesses for w in _of(item)]
    if witnesses:
        lines += ["", *(f"- {_escaped(witness)}" for witness in witnesses)]
    if report.error:
        lines += ["", "```text", report.error.rstrip().replace("```", "` ` `"), "```"]
    return [*lines, "", "```sh", report.replay, "```"]


def _of(finding: Finding) -> list[str]:
    if finding.verdict is Verdict.PASSED:
        return []
    reason = [f"{finding.check}: {finding.reason}"] if finding.reason else []
    return reason + list(finding.witnesses[:_WITNESSES_MAX])


def _escaped(text: str) -> str:
    r"""Return text that stays in its table cell and keeps its underscores and brackets.

    >>> _escaped("a_b | <c>\nd")
    'a\\_b \\| &lt;c> d'
    """
    flat = " ".join(text.split())
    for mark in ("\\", "|", "_", "*", "`"):
        flat = flat.replace(mark, f"\\{mark}")
    return flat.replace("<", "&lt;")

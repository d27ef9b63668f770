"""Write the part of an Allure result that is read without a click."""

import base64
from collections.abc import Collection, Iterable
from html import escape
from textwrap import wrap

from harness.model.finding import Finding
from harness.model.verdict import Verdict
from harness.reporting.check_table import CheckRow, rows_of
from harness.reporting.digest import Digest
from harness.reporting.run_report import RunReport
from harness.reporting.spoken import spoken_timeline

_NAME_WIDTH, _TEXT_WIDTH = 24, 40  # characters; with them all columns fit into Allure's 870 px
_ERROR_LINES_MAX = 30


def description_html(
    report: RunReport, digest: Digest | None, figure: str | None, asked: Collection[str]
) -> str:
    """Return claim, table of checks, figure, worst cases, replay command, measurement.

    The verdict stands first where Allure does not show it anyway, as the error of the result.

    Args:
        report: The run.
        digest: What its history says; None if there is none.
        figure: The timeline; None if there is nothing to see.
        asked: Names of the scenario's checks; the other findings are about the measurement.
    """
    checks = [item for item in report.findings if item.name in asked]
    evidence = [item for item in report.findings if item.name not in asked]
    missed = [item for item in evidence if item.verdict is not Verdict.PASSED]
    parts = []
    if report.verdict is Verdict.PASSED:
        parts.append(f"<p><b>{report.verdict}</b>: {escape(report.sentence)}</p>")
    parts.append(f"<p><b>Claim</b>: {escape(report.claim)}</p>")
    if report.reason:
        parts.append(f"<p>{escape(report.reason)}</p>")
    parts += _table([*missed, *checks])  # missing evidence explains what checks say
    parts += _error(report)
    if figure is not None and digest is not None:
        encoded = base64.b64encode(figure.encode()).decode()
        source = f"data:image/svg+xml;base64,{encoded}"
        told = escape(spoken_timeline(digest.timeline))
        parts.append(f'<p><img width="100%" alt="{told}" src="{source}"></p>')
    parts += _witnesses(report)
    parts.append(f"<p><b>Replay</b></p><pre>{escape(report.replay)}</pre>")
    facts = [*((item.check, item.got) for item in evidence), *(digest.health if digest else ())]
    return "\n".join([*parts, *_measurement(facts)])


def _table(findings: Iterable[Finding]) -> list[str]:
    """Return the table of checks, the worst first, if there is any."""
    body = "".join(_row(row) for row in rows_of(findings))
    if not body:
        return []
    names = ("check", "expected and got", "margin")
    head = "".join(f"<th>{name}</th>" for name in names)
    return [f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"]


def _row(row: CheckRow) -> str:
    samples = f"{row.samples} samples" if row.samples else ""
    mark = row.mark if row.verdict is Verdict.PASSED else f"<b>{row.mark}</b>"
    margin = "" if not row.margin else f"<b>{_lines(row.margin, _NAME_WIDTH)}</b>"
    expected, got = _lines(row.expected, _TEXT_WIDTH), _lines(row.got, _TEXT_WIDTH)
    cells = (
        f"{mark}<br>{_lines(row.check, _NAME_WIDTH)}",
        f"<b>expected</b> {expected}<br><b>got</b> {got}",
        "<br>".join(part for part in (margin, samples) if part),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _lines(text: str, width: int) -> str:
    """Return text with line breaks: Allure's tables scroll sideways before they wrap."""
    return "<br>".join(escape(line) for line in wrap(text, width)) or escape(text)


def _error(report: RunReport) -> list[str]:
    lines = report.error.rstrip().splitlines()
    return [f"<pre>{escape(chr(10).join(lines[-_ERROR_LINES_MAX:]))}</pre>"] if lines else []


def _measurement(facts: Iterable[tuple[str, str]]) -> list[str]:
    """Return what the run says of itself: what its evidence rests on."""
    rows = "".join(f"<tr><td>{escape(n)}</td><td>{_lines(v, 70)}</td></tr>" for n, v in facts)
    return [f"<p><b>Measurement</b></p><table>{rows}</table>"] if rows else []


def _witnesses(report: RunReport) -> list[str]:
    items = [
        f"<li>{escape(line)}</li>"
        for finding in report.findings
        if finding.verdict is not Verdict.PASSED
        for line in (finding.reason, *finding.witnesses)
        if line
    ]
    return [f"<p><b>Worst cases</b></p><ul>{''.join(items)}</ul>"] if items else []

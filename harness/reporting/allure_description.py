"""Write the part of an Allure result that is read without a click."""

import base64
from collections.abc import Collection, Iterable, Sequence
from html import escape

from harness.model.finding import Finding
from harness.model.verdict import Verdict
from harness.reporting.check_table import CheckRow, rows_of
from harness.reporting.digest import Digest
from harness.reporting.run_report import RunReport
from harness.reporting.spoken import spoken_timeline

_ERROR_LINES_MAX = 30
# Allure's tables scroll sideways and never wrap, so on a narrow screen what was expected is out
# of sight. Rows that wrap put a cell below the other there, and side by side everywhere else.
_BLOCK = "display:block;width:auto"
_ROW = "display:flex;flex-wrap:wrap"
_CELL = "white-space:normal;overflow-wrap:anywhere"
_NARROW, _WIDE = f"flex:1 1 10em;{_CELL}", f"flex:3 1 20em;{_CELL}"
_WRAPPED = "white-space:pre-wrap;overflow-wrap:anywhere"
_FIGURE_WIDTH_MIN = "720px"  # below, its letters are smaller than 9 px: rather scroll


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
        image = (
            f'<img width="100%" style="min-width:{_FIGURE_WIDTH_MIN}" alt="{told}" src="{source}">'
        )
        parts.append(f'<div style="overflow-x:auto">{image}</div>')
    parts += _witnesses(report)
    parts.append(f'<p><b>Replay</b></p><pre style="{_WRAPPED}">{escape(report.replay)}</pre>')
    facts = [*((item.check, item.got) for item in evidence), *(digest.health if digest else ())]
    return "\n".join([*parts, *_measurement(facts)])


def _table(findings: Iterable[Finding]) -> list[str]:
    """Return the table of checks, the worst first, if there is any."""
    return _rows([_cells(row) for row in rows_of(findings)])


def _cells(row: CheckRow) -> tuple[str, str, str]:
    """Return the check, what was expected and got, and how far apart they are."""
    mark = row.mark if row.verdict is Verdict.PASSED else f"<b>{row.mark}</b>"
    margin = f"<b>{escape(row.margin)}</b>" if row.margin else ""
    samples = f"{row.samples} samples" if row.samples else ""
    return (
        f"{mark}<br>{escape(row.check)}",
        f"<b>expected</b> {escape(row.expected)}<br><b>got</b> {escape(row.got)}",
        "<br>".join(part for part in (margin, samples) if part),
    )


def _rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table whose second column is the wide one, if it has any row."""
    if not rows:
        return []
    body = "".join(f'<tr style="{_ROW}">{_row(cells)}</tr>' for cells in rows)
    return [f'<table style="{_BLOCK}"><tbody style="{_BLOCK}">{body}</tbody></table>']


def _row(cells: Sequence[str]) -> str:
    styles = (_NARROW, _WIDE, _NARROW)[: len(cells)]
    return "".join(
        f'<td style="{style}">{cell}</td>' for style, cell in zip(styles, cells, strict=True)
    )


def _error(report: RunReport) -> list[str]:
    lines = report.error.rstrip().splitlines()
    shown = escape("\n".join(lines[-_ERROR_LINES_MAX:]))
    return [f'<pre style="{_WRAPPED}">{shown}</pre>'] if lines else []


def _measurement(facts: Iterable[tuple[str, str]]) -> list[str]:
    """Return what the run says of itself: what its evidence rests on."""
    table = _rows([(escape(name), escape(value)) for name, value in facts])
    return ["<p><b>Measurement</b></p>", *table] if table else []


def _witnesses(report: RunReport) -> list[str]:
    items = [
        f"<li>{escape(line)}</li>"
        for finding in report.findings
        if finding.verdict is not Verdict.PASSED
        for line in (finding.reason, *finding.witnesses)
        if line
    ]
    return [f"<p><b>Worst cases</b></p><ul>{''.join(items)}</ul>"] if items else []

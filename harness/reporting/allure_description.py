"""Write the part of an Allure result that is read without a click."""

import base64
from html import escape
from textwrap import wrap

from harness.model.verdict import Verdict
from harness.reporting.check_table import HEADINGS, cells, rows_of
from harness.reporting.digest import Digest
from harness.reporting.run_report import RunReport
from harness.reporting.spoken import spoken_timeline

_CELL_WIDTH = 24  # characters; with it all six columns fit into the 890 px that Allure gives


def description_html(report: RunReport, digest: Digest | None, figure: str | None) -> str:
    """Return verdict, claim, table of checks, figure, worst cases, replay command, measurement."""
    verdict = report.verdict.replace("_", " ")
    parts = [f"<p><b>{verdict}</b>: {escape(report.sentence or 'no reason given')}</p>"]
    parts.append(f"<p><b>Claim</b>: {escape(report.claim)}</p>")
    if report.reason:
        parts.append(f"<p>{escape(report.reason)}</p>")
    if report.findings:
        parts.append(_table(report))
    if figure is not None and digest is not None:
        encoded = base64.b64encode(figure.encode()).decode()
        source = f"data:image/svg+xml;base64,{encoded}"
        told = escape(spoken_timeline(digest.timeline))
        parts.append(f'<p><img width="100%" alt="{told}" src="{source}"></p>')
    parts += _witnesses(report)
    parts.append(f"<p><b>Replay</b></p><pre>{escape(report.replay)}</pre>")
    if digest is not None:
        rows = [(escape(name), escape(value)) for name, value in digest.health]
        cells_html = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in rows)
        parts.append(f"<p><b>Measurement</b></p><table>{cells_html}</table>")
    return "\n".join(parts)


def _table(report: RunReport) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in HEADINGS)
    body = ""
    for row in rows_of(report.findings):
        tag = "td" if row.verdict is Verdict.PASSED else "th"
        body += (
            "<tr>" + "".join(f"<{tag}>{_wrapped(cell)}</{tag}>" for cell in cells(row)) + "</tr>"
        )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _wrapped(text: str) -> str:
    """Return a cell with line breaks: Allure's tables scroll sideways before they wrap."""
    return "<br>".join(escape(line) for line in wrap(text, _CELL_WIDTH)) or escape(text)


def _witnesses(report: RunReport) -> list[str]:
    items = [
        f"<li>{escape(line)}</li>"
        for finding in report.findings
        if finding.verdict is not Verdict.PASSED
        for line in (finding.reason, *finding.witnesses)
        if line
    ]
    return [f"<p><b>Worst cases</b></p><ul>{''.join(items)}</ul>"] if items else []

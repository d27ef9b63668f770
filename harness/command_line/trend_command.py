"""The command `trend`: many runs in the order of their start, and the newest against them."""

import dataclasses
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.checks.comparison import Change
from harness.command_line.compare_command import CODES, ENDINGS, STYLES as CHANGE_STYLES
from harness.command_line.exit_codes import ExitCode, end_with
from harness.command_line.keywords import matches
from harness.command_line.saved_runs import SavedRun, saved_runs
from harness.command_line.trend_history import (
    SCHEMA_VERSION,
    Point,
    Trend,
    TrendDocument,
    trends_of,
)
from harness.model.records import NS_PER_S
from harness.reporting.console import STYLES, console_for
from harness.reporting.quantities import count, figure
from harness.reporting.sparkline import sparkline

_SPARKS_MAX = 16  # as wide as the moment in the first column
_COLUMNS = {  # figures that tell a story over weeks; --json has all of them
    "recovery_time_s": "recovered",
    "success_ratio_fault": "OK in fault",
    "time_to_detect_s": "detected",
    "latency_p99_s": "p99",
}


def show_trend(
    folders: Sequence[Path], *, keyword: str | None, last: int, json_output: bool
) -> None:
    """Print each scenario's history; end with 0 for no regression, 1 for one, 2 if nobody can tell.

    Args:
        folders: Folders of suites, of runs, or ones that hold such.
        keyword: Only scenarios whose name or tags match.
        last: How many of the newest runs are shown.
        json_output: Print JSON instead.
    """
    try:
        runs, empty = saved_runs(folders)
        trends = trends_of(_chosen(runs, keyword, folders), last=last)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"cannot tell a trend: {error}\n")
        end_with(ExitCode.USAGE)
    for folder in empty:
        sys.stderr.write(f"{folder} holds no run; left out\n")
    order = list(Change)
    change = min((trend.change for trend in trends), key=order.index)
    if json_output:
        sys.stdout.write(document_text(trends, empty, change))
    else:
        console_for().print(shown(trends, change))
    end_with(CODES.get(change, ExitCode.PASSED))


def _chosen(
    runs: Sequence[SavedRun], keyword: str | None, folders: Sequence[Path]
) -> list[SavedRun]:
    if not runs:
        raise ValueError(
            f"no runs in {', '.join(map(str, folders))}; expected report folders, with "
            "summary.json or runs/*/findings.json, or a folder that holds such"
        )
    fitting = [
        run
        for run in runs
        if keyword is None or matches(keyword, [run.report.name, *run.report.tags])
    ]
    if not fitting:
        raise ValueError(f"none of {count(len(runs), 'run')} matches {keyword!r}")
    return fitting


def document_text(trends: Sequence[Trend], empty: Sequence[Path], change: Change) -> str:
    """Return the document for programs, as text."""
    document = TrendDocument(
        schema=SCHEMA_VERSION,
        answer=ENDINGS[change],
        trends=tuple(trends),
        folders_without_runs=tuple(map(str, empty)),
    )
    return json.dumps(dataclasses.asdict(document), indent=2, ensure_ascii=False) + "\n"


def shown(trends: Sequence[Trend], change: Change) -> RenderableType:
    """Return the history of each scenario and, last, the answer."""
    parts: list[RenderableType] = []
    for trend in trends:
        title = Text(trend.scenario, style="bold")
        title.append(
            f"  {trend.environment}, time scale {trend.time_scale:g}", style="not bold dim"
        )
        parts += [title, _history(trend.runs), *_changes(trend), Text()]
    return Group(*parts, Text(ENDINGS[change], style="bold"))


def _history(runs: Sequence[Point]) -> Table:
    """Return a line per run, the newest last, and the figures' course below."""
    names = [name for name in _COLUMNS if any(name in run.figures for run in runs)]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("start (UTC)", "verdict"):
        table.add_column(heading, no_wrap=True)
    for name in names:
        table.add_column(_COLUMNS[name], justify="right", no_wrap=True)
    for run in runs:
        verdict = Text(run.verdict.replace("_", " "), style=STYLES[run.verdict])
        cells = [
            Text(figure(name, run.figures[name]) if name in run.figures else "") for name in names
        ]
        table.add_row(Text(_moment(run)), verdict, *cells)
    recent = runs[-_SPARKS_MAX:]
    courses = [
        sparkline([run.figures.get(name) for run in recent], top=1.0 if "_ratio" in name else None)
        for name in names
    ]
    table.add_row(Text("course", style="dim"), "", *map(Text, courses))
    return table


def _moment(run: Point) -> str:
    at = datetime.fromtimestamp(run.started_unix_ns / NS_PER_S, tz=UTC)
    return f"{at:%Y-%m-%d %H:%M}"


def _changes(trend: Trend) -> list[Text]:
    """Return what changed in the newest run, a line each, and what else there is to say of it."""
    lines, same = [], 0
    unknown: dict[str, list[str]] = {}
    for row in trend.rows:
        if row.change is Change.UNKNOWN:
            unknown.setdefault(row.reason, []).append(row.measure)
        elif row.change is Change.SAME:
            same += 1
        else:
            told = f"{row.change}: {row.measure}, {row.before} -> {row.after} ({row.reason})"
            lines.append(Text(told, style=CHANGE_STYLES[row.change]))
    style = CHANGE_STYLES[Change.UNKNOWN] if trend.change is Change.UNKNOWN else "dim"
    for reason, measures in unknown.items():
        lines.append(Text(f"{Change.UNKNOWN}: {', '.join(measures)}: {reason}", style=style))
    if same:
        told = f"{count(same, 'figure')} same within noise"
        lines.append(Text(f"{told}, against {count(trend.compared, 'run')} before", style="dim"))
    if trend.edited:
        told = f"{trend.edited} of the {trend.compared} before had another scenario or system file"
        lines.append(Text(f"{told}: a change may be the file's", style="yellow"))
    return lines

"""Tell about runs in a terminal: pure functions from values to text and tables of rich."""

import shlex
from collections import Counter
from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.model.run import Progress
from harness.model.verdict import Verdict
from harness.reporting.check_table import HEADINGS, CheckRow, cells, rows_of
from harness.reporting.narrow import ByWidth, RunLine, check_lines, run_lines
from harness.reporting.quantities import count, figure, seconds
from harness.reporting.run_report import RunReport

STYLES = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.HARNESS_ERROR: "bold magenta",
    Verdict.SKIPPED: "dim",
}
_WITNESSES_MAX = 5  # the worst ones; all stand in findings.json
_HELD_MAX = 7
_CHECK_WIDTH = 34  # wider names would squeeze what was expected and got into single words
_ERROR_LINES_MAX = 10
_COMMAND_MAX = 72  # with its name in front it fits into 80 columns
_FIGURES_MAX = 3
_FIGURES = {  # the telling ones first, in words
    "recovery_time_s": "recovered in",
    "success_ratio_fault": "OK during fault",
    "amplification_max": "amplification",
    "time_to_detect_s": "detected after",
    "latency_p99_s": "p99",
}
_BAR_CELLS = 12


def console_for(*, is_error: bool = False, width: int | None = None) -> Console:
    """Return the console of a command: colours only on a terminal and without `NO_COLOR`.

    Nothing is highlighted or marked up by rich itself: texts of scenarios are shown as they are.
    """
    return Console(stderr=is_error, highlight=False, markup=False, emoji=False, width=width)


def phase_line(progress: Progress) -> str:
    """Return the plain line that a pipe or a CI log gets when a phase begins.

    >>> phase_line(Progress(scenario="a", phase="fault", planned_s=15.0, operations=812, not_ok=3))
    'a: fault, at most 15 s, 812 operations, 3 not ok'
    """
    parts = [f"{progress.scenario}: {progress.phase}"]
    if progress.planned_s:
        parts.append(f"at most {seconds(progress.planned_s)}")
    if progress.operations:
        parts.append(f"{count(progress.operations, 'operation')}, {progress.not_ok} not ok")
    if progress.message:
        parts.append(progress.message)
    return ", ".join(parts)


def progress_line(progress: Progress, width: int = 100) -> str:
    """Return one line about a run in progress, cut to `width` columns.

    >>> progress_line(Progress(scenario="slow_db", phase="fault", elapsed_s=5.0, planned_s=10.0))
    'slow_db  fault     ######......  5 s left'
    >>> progress_line(Progress(scenario="slow_db", phase="settle", breakers=("api-server open",)))
    'slow_db  settle    0 s  api-server open'
    """
    parts = [progress.scenario[:30], f"{progress.phase:<8}"]
    if progress.planned_s > 0:
        share = min(progress.elapsed_s / progress.planned_s, 1.0)
        done = round(share * _BAR_CELLS)
        left_s = max(progress.planned_s - progress.elapsed_s, 0.0)
        parts += ["#" * done + "." * (_BAR_CELLS - done), f"{left_s:.0f} s left"]
    else:
        parts.append(f"{progress.elapsed_s:.0f} s")
    if progress.operations:
        parts.append(f"{progress.operations} ops, {progress.not_ok} not ok")
    parts += progress.breakers
    if progress.message:
        parts.append(progress.message)
    return "  ".join(parts)[:width]


def verdict_line(report: RunReport) -> Text:
    """Return verdict, scenario and sentence in one line."""
    line = Text()
    line.append(report.verdict.replace("_", " "), style=STYLES[report.verdict])
    line.append(f" {report.name}", style="bold")
    if report.sentence:
        line.append(f": {report.sentence}")
    return line


def check_table(report: RunReport) -> RenderableType:
    """Return the checks, the worst first; of those that held, the first few."""
    rows = rows_of(report.findings)
    held = sum(row.verdict is Verdict.PASSED for row in rows)
    rest_held = max(held - _HELD_MAX, 0)
    shown = rows[: len(rows) - rest_held]
    rest = [Text(f"and {rest_held} more that held", style="dim")] if rest_held else []
    narrow = Group(check_lines(shown, STYLES), *rest)
    return ByWidth(narrow=narrow, wide=Group(_wide_checks(shown), *rest))


def _wide_checks(rows: Sequence[CheckRow]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    names = [len(row.check) for row in rows if row.verdict is not Verdict.PASSED]
    width = min(max(names, default=0), _CHECK_WIDTH) or _CHECK_WIDTH
    for heading in HEADINGS:
        is_check = heading == "check"
        justify = "right" if heading in ("margin", "samples") else "left"
        table.add_column(
            heading,
            justify=justify,  # type: ignore[arg-type]
            overflow="fold",
            no_wrap=heading in ("", "margin", "samples"),
            width=width if is_check else None,
        )
    for row in rows:
        mark, *rest = cells(row)
        is_short = row.verdict is Verdict.PASSED  # what held gets one line, so that all fit
        style = {"no_wrap": True, "overflow": "ellipsis"} if is_short else {}
        told = [Text(cell, **style) for cell in rest]  # type: ignore[arg-type]
        table.add_row(Text(mark, style=STYLES[row.verdict]), *told)
    return table


def phases_text(report: RunReport) -> str:
    """Return the phases with their lengths in one line; empty if none took place."""
    return "  ".join(f"{p.name} {seconds(p.end_s - p.start_s)}" for p in report.phases)


def failure_block(report: RunReport) -> RenderableType:
    """Return all that one needs to start on a run that did not pass, on one screen."""
    parts: list[RenderableType] = [verdict_line(report), Text(f"claim: {report.claim}")]
    if report.findings:
        parts += [Text(), check_table(report)]
    parts += [Text(line, style="dim") for line in _reasons(report)]
    parts += _witnesses(report)
    if report.error:
        lines = report.error.rstrip().splitlines()
        parts += [Text(), *(Text(line) for line in lines[-_ERROR_LINES_MAX:])]
    facts = Table.grid(padding=(0, 2, 0, 0))
    for name, value in (
        ("phases", phases_text(report)),
        ("faults", ", ".join(report.faults)),
        ("folder", report.folder),
    ):
        if value:
            facts.add_row(Text(name, style="dim"), Text(value, overflow="fold"))
    return Group(*parts, Text(), facts, Text(f"replay  {copyable(report.replay)}"))


def copyable(command: str) -> str:
    r"""Return a command that can be copied from a terminal: a long one continues with `\`.

    >>> copyable("atlas-chaos run a.chaos.yaml --seed 1 --time-scale 1")
    'atlas-chaos run a.chaos.yaml --seed 1 --time-scale 1'
    """
    if len(command) <= _COMMAND_MAX:
        return command
    head, _, tail = command.partition(" --seed ")
    return f"{head} \\\n          --seed {tail}"


def _reasons(report: RunReport) -> list[str]:
    rows = [row for row in rows_of(report.findings) if row.verdict is not Verdict.PASSED]
    return [f"{row.check}: {row.reason}" for row in rows if row.reason]


def _witnesses(report: RunReport) -> list[RenderableType]:
    lines = [
        witness
        for finding in report.findings
        if finding.verdict is not Verdict.PASSED
        for witness in finding.witnesses
    ]
    if not lines:
        return []
    rest = len(lines) - _WITNESSES_MAX
    shown = lines[:_WITNESSES_MAX] + ([f"and {rest} more in findings.json"] if rest > 0 else [])
    return [Text(), Text("worst cases", style="dim"), *(Text(f"  {line}") for line in shown)]


def final_table(reports: Sequence[RunReport]) -> RenderableType:
    """Return the table of all runs: scenario, verdict, duration and key figures."""
    lines = [_run_line(report) for report in reports]
    return ByWidth(narrow=run_lines(lines), wide=_wide_runs(lines))


def _wide_runs(lines: Sequence[RunLine]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("scenario", "verdict", "duration", "figures"):
        justify = "right" if heading == "duration" else "left"
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for line in lines:
        table.add_row(Text(line.name), line.verdict, line.duration, Text(line.told))
    return table


def _run_line(report: RunReport) -> RunLine:
    return RunLine(
        name=report.name,
        verdict=Text(report.verdict.replace("_", " "), style=STYLES[report.verdict]),
        duration=seconds(report.duration_s) if report.duration_s else "",
        told=report.sentence if report.verdict is Verdict.SKIPPED else key_figures(report),
    )


def key_figures(report: RunReport) -> str:
    """Return the first few figures in words, e.g. `recovered in 4.2 s`."""
    known = [name for name in _FIGURES if name in report.figures]
    others = [name for name in report.figures if name not in _FIGURES]
    return ", ".join(
        f"{_FIGURES.get(name, name.replace('_', ' '))} {figure(name, report.figures[name])}"
        for name in (known + others)[:_FIGURES_MAX]
    )


def last_line(reports: Sequence[RunReport]) -> str:
    """Return the counts of all verdicts; zero is said too, so that nothing hides.

    >>> last_line([])
    '0 scenarios: 0 passed, 0 failed, 0 inconclusive, 0 harness errors, 0 skipped'
    """
    found = Counter(report.verdict for report in reports)
    parts = [
        f"{found[Verdict.PASSED]} passed",
        f"{found[Verdict.FAILED]} failed",
        f"{found[Verdict.INCONCLUSIVE]} inconclusive",
        count(found[Verdict.HARNESS_ERROR], "harness error"),
        f"{found[Verdict.SKIPPED]} skipped",
    ]
    seeds = sorted({report.seed for report in reports if report.run_id})
    tail = f"; seed {shlex.join(str(seed) for seed in seeds)}" if len(seeds) == 1 else ""
    return f"{count(len(reports), 'scenario')}: {', '.join(parts)}{tail}"


def closing(reports: Sequence[RunReport]) -> RenderableType:
    """Return what ends the output of a command: failure blocks, the table and the last line."""
    parts: list[RenderableType] = []
    for report in reports:
        if report.verdict not in (Verdict.PASSED, Verdict.SKIPPED):
            parts += [failure_block(report), Text()]
    return Group(*parts, final_table(reports), Text(), Text(last_line(reports), style="bold"))


def render(renderable: RenderableType, width: int = 100) -> str:
    """Return a renderable as plain text, without colours and trailing blanks."""
    console = Console(width=width, color_system=None, force_terminal=False, no_color=True)
    with console.capture() as capture:
        console.print(renderable)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())

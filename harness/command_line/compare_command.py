"""The command `compare`: two runs, or two suites, side by side."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from harness.checks.comparison import Change, Row, compare
from harness.command_line.exit_codes import ExitCode, end_with
from harness.composition import RUN_FILE, judge_saved
from harness.model.errors import FileProblems
from harness.reporting.console import console_for

SCHEMA_VERSION = 1
_RUNS = "runs"
STYLES = {Change.WORSE: "bold red", Change.UNKNOWN: "yellow", Change.BETTER: "green"}
CODES = {Change.WORSE: ExitCode.FAILED, Change.UNKNOWN: ExitCode.INCONCLUSIVE}
ENDINGS = {
    Change.WORSE: "regression",
    Change.UNKNOWN: "cannot tell",
    Change.BETTER: "no regression",
    Change.SAME: "no regression",
}


def compare_folders(before: Path, after: Path, *, json_output: bool) -> None:
    """Print what changed, and end with 0 for no regression, 1 for one, 2 if nobody can tell."""
    try:
        found = compared(before, after)
    except (OSError, FileProblems, ValueError) as error:
        sys.stderr.write(f"cannot compare: {error}\n")
        end_with(ExitCode.USAGE)
    change = worst_of([row for rows in found.values() for row in rows])
    if json_output:
        sys.stdout.write(json.dumps(document(found, change), indent=2) + "\n")
    else:
        show(found, change)
    end_with(CODES.get(change, ExitCode.PASSED))


def compared(before: Path, after: Path) -> dict[str, list[Row]]:
    """Return the rows of each scenario; one that only one side has cannot be compared.

    Raises:
        FileNotFoundError: If a folder holds neither a run nor runs.
        ValueError: If two runs cannot be compared, or a history cannot be read.
        FileProblems: If a saved scenario cannot be read by this version.
    """
    first, second = run_folders(before), run_folders(after)
    if len(first) == len(second) == 1 and first.keys() != second.keys():
        raise ValueError(f"{next(iter(first))} and {next(iter(second))} are different scenarios")
    found = {}
    for name in sorted(first.keys() | second.keys()):
        if name in first and name in second:
            found[name] = compare(judge_saved(first[name]), judge_saved(second[name]))
            continue
        sides = [name if name in side else "none" for side in (first, second)]
        row = Row(measure="run", before=sides[0], after=sides[1], change=Change.UNKNOWN)
        found[name] = [row]
    return found


def run_folders(folder: Path) -> dict[str, Path]:
    """Return the folders of runs by scenario: of one run, or of a suite.

    Raises:
        FileNotFoundError: If there is none.
    """
    if (folder / RUN_FILE).is_file():
        return {_scenario(folder): folder}
    found = {_scenario(path.parent): path.parent for path in folder.glob(f"{_RUNS}/*/{RUN_FILE}")}
    if not found:
        raise FileNotFoundError(f"{folder} holds neither {RUN_FILE} nor {_RUNS}/*/{RUN_FILE}")
    return found


def _scenario(folder: Path) -> str:
    about = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    return str(about["scenario"]).removesuffix(".chaos.yaml")


def worst_of(rows: list[Row]) -> Change:
    """Return the worst change."""
    order = list(Change)
    return min((row.change for row in rows), key=order.index)


def document(found: dict[str, list[Row]], change: Change) -> dict[str, Any]:
    """Return the comparison for programs."""
    runs = [
        {"scenario": name, "change": worst_of(rows), "rows": [asdict(row) for row in rows]}
        for name, rows in found.items()
    ]
    return {"schema": SCHEMA_VERSION, "answer": ENDINGS[change], "scenarios": runs}


def show(found: dict[str, list[Row]], change: Change) -> None:
    """Print a table per scenario and the answer."""
    console = console_for()
    for name, rows in found.items():
        console.print(Text(name, style="bold"))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for heading in ("", "before", "after", "change"):
            table.add_column(heading, overflow="fold")
        for row in rows:
            style = STYLES.get(row.change, "")
            reason = f": {row.reason}" if row.reason and row.change is not Change.SAME else ""
            told = Text(f"{row.change}{reason}", style=style)
            table.add_row(Text(row.measure), Text(row.before), Text(row.after), told)
        console.print(table)
        console.print()
    console.print(Text(ENDINGS[change], style="bold"))

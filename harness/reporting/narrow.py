"""Tables for terminals and logs of 80 columns, where columns side by side would be slivers."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from harness.model.verdict import Verdict
from harness.reporting.check_table import CheckRow

NARROW_BELOW = 120  # columns; below, what was expected and got would be cut into slivers


@dataclass(frozen=True, slots=True, kw_only=True)
class ByWidth:
    """Show one renderable or another, whatever the room allows."""

    narrow: RenderableType
    wide: RenderableType

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield what fits."""
        yield self.narrow if options.max_width < NARROW_BELOW else self.wide


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One run of a final table, in words."""

    name: str
    verdict: Text
    duration: str
    told: str


def check_lines(rows: Sequence[CheckRow], styles: dict[Verdict, str]) -> Table:
    """Return checks one below the other: what held in a line, what did not with all it said."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    for row in rows:
        mark = Text(row.mark, style=styles[row.verdict])
        if row.verdict is Verdict.PASSED:
            line = f"{row.check}: {row.got}" if row.got else row.check
            grid.add_row(mark, Text(line, no_wrap=True, overflow="ellipsis"))
            continue
        grid.add_row(mark, Text(row.check))
        grid.add_row("", _named("expected", row.expected))
        grid.add_row("", _named("got", _with_weight(row)))
    return grid


def _with_weight(row: CheckRow) -> str:
    """Return what was seen, how far it is from the limit and on how much it rests."""
    samples = f"{row.samples} samples" if row.samples else ""
    weight = ", ".join(part for part in (row.margin, samples) if part)
    return " ".join(part for part in (row.got, f"({weight})" if weight else "") if part)


def _named(name: str, value: str) -> Table:
    part = Table.grid(padding=(0, 2, 0, 0))
    part.add_column(width=len("expected"), style="dim")
    part.add_column()
    part.add_row(name, Text(value))
    return part


def run_lines(lines: Sequence[RunLine]) -> Table:
    """Return runs with their figures below their names, which are the longest words there are."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("verdict", no_wrap=True)
    table.add_column("duration", justify="right", no_wrap=True)
    table.add_column("scenario", overflow="fold")
    for line in lines:
        table.add_row(line.verdict, line.duration, Text(line.name))
        if line.told:
            table.add_row("", "", Text(line.told, style="dim"))
    return table

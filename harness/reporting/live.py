"""Show several runs at once while they go on: redrawn on a terminal, a line per phase elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.model.run import Progress
from harness.reporting.console import phase_line, progress_line, verdict_line
from harness.reporting.run_report import RunReport

_REDRAWS_PER_S = 8  # faster than the eye needs, slower than what a remote terminal can take


class LiveDisplay:
    """Listen to runs and show them; a context manager, so that the cursor always comes back."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: dict[str, Progress] = {}
        self._told: dict[str, str] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Start drawing, if this is a terminal."""
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._live = Live(
                console=self._console,
                refresh_per_second=_REDRAWS_PER_S,
                get_renderable=self.rows,
                transient=True,
            )
            self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the drawing and give the cursor back."""
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def rows(self) -> RenderableType:
        """Return the present state, one line per run in the order of their start."""
        grid = Table.grid()
        for progress in self._progress.values():
            grid.add_row(Text(progress_line(progress, self._console.width - 1)))
        return grid

    def on_progress(self, progress: Progress) -> None:
        """Take a sign of life of a run."""
        self._progress[progress.scenario] = progress
        if self._live is None and self._told.get(progress.scenario) != progress.phase:
            self._told[progress.scenario] = progress.phase
            self._console.print(phase_line(progress), soft_wrap=True)

    def on_finished(self, report: RunReport) -> None:
        """Print a run's verdict and stop showing the run."""
        self._progress.pop(report.name, None)
        self._told.pop(report.name, None)
        # A terminal breaks a long sentence between words, a log keeps it in one line.
        self._console.print(verdict_line(report), soft_wrap=not self._console.is_terminal)

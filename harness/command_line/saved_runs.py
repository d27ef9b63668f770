"""Find what runs of the past left in report folders."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.model.verdict import Verdict
from harness.reporting.json_report import read_run, read_summary
from harness.reporting.run_report import RunReport

_SUMMARY = "summary.json"
_FINDINGS = "findings.json"
_RUNS = "runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRun:
    """A run that took place, and where it lies.

    Args:
        report: What was told about it.
        folder: Its own folder, which may have been removed since.
    """

    report: RunReport
    folder: Path


def saved_runs(folders: Iterable[Path]) -> tuple[list[SavedRun], list[Path]]:
    """Return the runs of folders by their start, each once, and the folders that hold none.

    A folder is that of a run, that of a suite, or one that holds such. SKIPPED ones never ran.

    Raises:
        FileNotFoundError: If there is no such folder.
        ValueError: If a report cannot be read, with its path.
        OSError: If a file cannot be read.
    """
    found: dict[tuple[str, str, int], SavedRun] = {}
    empty = []
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {folder}")
        runs = runs_in(folder)
        if not runs:
            empty.append(folder)
        for run in runs:
            report = run.report
            found.setdefault((report.name, report.run_id, report.started_unix_ns), run)
    return sorted(found.values(), key=lambda run: run.report.started_unix_ns), empty


def runs_in(folder: Path) -> list[SavedRun]:
    """Return the runs of one folder, or of the folders in it; empty if there are none."""
    here = _runs_of(folder)
    below = sorted(path for path in folder.glob("*") if path.is_dir()) if here is None else []
    runs = here if here is not None else [run for path in below for run in _runs_of(path) or ()]
    return [run for run in runs if run.report.verdict is not Verdict.SKIPPED]


def _runs_of(folder: Path) -> Sequence[SavedRun] | None:
    """Return the runs of a suite or the one of a run; None if it is the folder of neither.

    The summary comes first: it is what a CI system keeps when it keeps little.
    """
    if (folder / _SUMMARY).is_file():
        reports = _read(folder / _SUMMARY)
        return [SavedRun(report=one, folder=folder / _RUNS / one.name) for one in reports]
    files = [folder / _FINDINGS] if (folder / _FINDINGS).is_file() else []
    files += sorted(folder.glob(f"{_RUNS}/*/{_FINDINGS}"))
    found = [SavedRun(report=one, folder=file.parent) for file in files for one in _read(file)]
    return found or None


def _read(file: Path) -> list[RunReport]:
    text = file.read_text(encoding="utf-8")
    try:
        return read_summary(text) if file.name == _SUMMARY else [read_run(text)]
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error

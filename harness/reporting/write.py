"""Write all reports of a suite into one folder."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.model.history import History, read_history
from harness.model.run import RunResult
from harness.reporting.allure_files import write_metrics, write_result, write_side_files
from harness.reporting.json_report import run_json, summary_json
from harness.reporting.junit import junit_xml
from harness.reporting.markdown import summary
from harness.reporting.run_report import RunReport, report_of
from harness.reporting.timeline import timeline_of
from harness.reporting.timeline_figure import draw

ALLURE_FOLDER = "allure-results"


def write_reports(
    results: Sequence[RunResult],
    directory: Path,
    *,
    root: Path,
    facts: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write Allure results, JUnit, Markdown and JSON, and findings and figure of each run.

    Args:
        results: All runs, the skipped ones too.
        directory: Where to write; files of an earlier suite are replaced, others stay.
        root: Folder that the identities of scenarios are relative to, e.g. the repository's.
        facts: Versions, commit and the like for Allure's front page.
        environ: The process's environment variables, in which CI systems describe themselves.

    Returns:
        The files that people open: JUnit, Markdown, JSON.
    """
    allure = directory / ALLURE_FOLDER
    if allure.is_dir():
        shutil.rmtree(allure)  # results of an earlier suite would count as this one's retries
    for result in results:
        history = history_of(result)
        write_run_files(result, history)
        content = write_result(result, history, allure, root)
        write_metrics(report_of(result), content.full_name, allure)
    write_side_files(allure, facts or {}, environ)
    return write_suite_files([report_of(result) for result in results], directory)


def history_of(result: RunResult) -> History | None:
    """Return the saved history of a run; None if it has none."""
    if result.history_path is None or not result.history_path.is_file():
        return None
    with result.history_path.open(encoding="utf-8") as lines:
        return read_history(lines)


def write_run_files(result: RunResult, history: History | None) -> None:
    """Write `findings.json` and, with a history, `timeline.svg` into the run's folder."""
    folder = result.settings.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "findings.json").write_text(run_json(report_of(result)), encoding="utf-8")
    if history is not None:
        figure = draw(timeline_of(result, history))
        (folder / "timeline.svg").write_text(figure, encoding="utf-8")


def write_suite_files(reports: Sequence[RunReport], directory: Path) -> list[Path]:
    """Write `junit.xml`, `summary.md` and `summary.json`."""
    directory.mkdir(parents=True, exist_ok=True)
    documents = {
        "junit.xml": junit_xml(reports),
        "summary.md": summary(reports),
        "summary.json": summary_json(reports),
    }
    for name, text in documents.items():
        (directory / name).write_text(text, encoding="utf-8")
    return [directory / name for name in documents]

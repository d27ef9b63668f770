"""Write all reports of a suite into one folder."""

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from harness.model.run import RunResult
from harness.reporting.allure import content_of
from harness.reporting.allure_files import write_metrics, write_result, write_side_files
from harness.reporting.digest import Digest, digest_for
from harness.reporting.json_report import run_json, summary_json
from harness.reporting.junit import junit_xml
from harness.reporting.markdown import summary
from harness.reporting.run_report import RunReport, report_of
from harness.reporting.timeline_figure import draw

ALLURE_FOLDER = "allure-results"
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


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
        digest = digest_for(result)
        figure = write_run_files(result, digest)
        content = content_of(result, digest, root, figure)
        write_result(result, content, allure)
        write_metrics(report_of(result), content.full_name, allure)
    write_side_files(allure, facts or {}, environ)
    reports = [report_of(result) for result in results]
    append_step_summary(reports, environ or {})
    return write_suite_files(reports, directory)


def write_run_files(result: RunResult, digest: Digest | None) -> str | None:
    """Write `findings.json` and, if there is anything to see, `timeline.svg`; return its text."""
    folder = result.settings.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "findings.json").write_text(run_json(report_of(result)), encoding="utf-8")
    if digest is None or digest.timeline.is_empty:
        return None
    figure = draw(digest.timeline)
    (folder / "timeline.svg").write_text(figure, encoding="utf-8")
    return figure


def append_step_summary(reports: Sequence[RunReport], environ: Mapping[str, str]) -> None:
    """Append the summary to the page of a GitHub Actions step, if this is one.

    The file is named by `GITHUB_STEP_SUMMARY`; one that cannot be written to is left alone, since
    a verdict must not depend on a page.
    """
    name = environ.get(STEP_SUMMARY)
    if not name or not reports:
        return
    with suppress(OSError), Path(name).open("a", encoding="utf-8") as page:
        page.write(summary(reports))


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

"""Write Allure's files: results for runs outside pytest, and the files beside all results."""

import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Attachment, Label, StatusDetails, TestResult

from harness.model.records import NS_PER_S
from harness.model.run import RunResult
from harness.reporting.allure import Content, allure_result_of, md5
from harness.reporting.run_report import RunReport

_NS_PER_MS = 1_000_000
_LOWER_IS_BETTER = ("amplification_max", "reruns")


def write_result(result: RunResult, content: Content, folder: Path) -> None:
    """Write the result of a run with its attachments into the results folder."""
    logger = _logger(folder)
    value = allure_result_of(result, content)
    for index, document in enumerate(content.documents):
        source = f"{value.uuid}-{index}-attachment.{document.extension}"
        logger.report_attached_data(document.body, source)
        value.attachments.append(Attachment(name=document.name, source=source, type=document.mime))
    logger.report_result(value)


def _logger(folder: Path) -> Any:
    untyped: Any = AllureFileLogger
    return untyped(str(folder))


def write_metrics(report: RunReport, full_name: str, folder: Path) -> None:
    """Write a run's figures for Allure's metrics page: per scenario, and per figure over all.

    The file's name depends on the scenario only, so that a rerun replaces it.
    """
    start_ms = report.started_unix_ns // _NS_PER_MS
    stop_ms = start_ms + round(report.duration_s * NS_PER_S) // _NS_PER_MS
    rows = [
        {"id": md5(f"{full_name}:{key}"), "key": key, "value": value, **times}
        for name, value in sorted(report.figures.items())
        if math.isfinite(value)
        for key in (f"{report.name}.{name}", name)
        for times in ({"start": start_ms, "stop": stop_ms, **_unit(name)},)
    ]
    if rows:
        text = json.dumps(rows, indent=2) + "\n"
        (folder / f"{md5(full_name)}-perf.json").write_text(text, encoding="utf-8")


def _unit(name: str) -> dict[str, str]:
    """Return unit and direction of a figure, by the end of its name."""
    if name.endswith("_s") and not name.endswith("_per_s"):
        return {"unit": "s", "better": "lower"}
    if name.startswith("success_ratio"):
        return {"unit": "ratio", "better": "higher"}
    if name in _LOWER_IS_BETTER:
        return {"better": "lower"}
    return {}


def write_broken(
    folder: Path, *, full_name: str, title: str, message: str, labels: Sequence[tuple[str, str]]
) -> None:
    """Write a broken result for a scenario that no process could report on: lost, or crashed.

    Without it, a report of the rest would be green.
    """
    path, _, _ = full_name.partition("#")
    value = TestResult(
        uuid=md5(f"{full_name}:{message}"),
        name=title,
        fullName=full_name,
        testCaseId=md5(full_name),
        historyId=md5(full_name),
        titlePath=[path],
        status="broken",
        statusDetails=StatusDetails(message=message),
        labels=[Label(name=name, value=text) for name, text in labels],
    )
    _logger(folder).report_result(value)


def categories() -> list[dict[str, object]]:
    """Return the rules that sort results by what went wrong; Allure 2 and 3 read the same list."""
    text = files("harness.reporting").joinpath("allure_categories.json").read_text("utf-8")
    rules: list[dict[str, object]] = json.loads(text)
    return rules


def write_side_files(
    folder: Path, facts: Mapping[str, str], environ: Mapping[str, str] | None = None
) -> None:
    """Write categories, environment and, on a CI system, the executor.

    Args:
        folder: The results folder; created if missing.
        facts: What the front page shows, e.g. versions, seed and commit.
        environ: The process's environment variables, in which CI systems describe themselves.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(categories(), indent=2) + "\n"
    (folder / "categories.json").write_text(text, encoding="utf-8")
    lines = [f"{_property(name)}={_property(value)}\n" for name, value in sorted(facts.items())]
    (folder / "environment.properties").write_text("".join(lines), encoding="utf-8")
    executor = executor_of(environ or {})
    if executor:
        text = json.dumps(executor, indent=2) + "\n"
        (folder / "executor.json").write_text(text, encoding="utf-8")


def _property(text: str) -> str:
    """Return text as a Java properties file holds it: one line, backslashes doubled."""
    return " ".join(text.replace("\\", "\\\\").split())


def executor_of(environ: Mapping[str, str]) -> dict[str, object]:
    """Return who ran this, from the variables of GitHub Actions, GitLab CI or Jenkins.

    >>> executor_of({})
    {}
    """
    if "GITHUB_ACTIONS" in environ:
        base = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
        url = f"{base}/actions/runs/{environ.get('GITHUB_RUN_ID', '')}"
        return _executor("github", environ.get("GITHUB_RUN_NUMBER", "0"), url)
    if "GITLAB_CI" in environ:
        number, url = environ.get("CI_PIPELINE_IID", "0"), environ.get("CI_PIPELINE_URL", "")
        return _executor("gitlab", number, url)
    if "JENKINS_URL" in environ:
        return _executor("jenkins", environ.get("BUILD_NUMBER", "0"), environ.get("BUILD_URL", ""))
    return {}


def _executor(kind: str, number: str, url: str) -> dict[str, object]:
    order = int(number) if number.isdecimal() else 0
    return {
        "name": kind,
        "type": kind,
        "buildName": f"#{number}",
        "buildOrder": order,
        "buildUrl": url,
        "reportName": "Chaos scenarios",
    }

"""Write versioned JSON: for programs, and for judging a suite again from what was saved."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from harness.model.verdict import Verdict, worst
from harness.reporting.run_report import SCHEMA_VERSION, RunReport, from_mapping, to_mapping


def summary_json(reports: Sequence[RunReport]) -> str:
    """Return the document of all runs; keys stay where they are, figures are not rounded."""
    found = Counter(report.verdict for report in reports)
    document = {
        "schema": SCHEMA_VERSION,
        "verdict": suite_verdict(reports),
        "counts": {str(verdict): found[verdict] for verdict in Verdict},
        "runs": [to_mapping(report) for report in reports],
    }
    return _text(document)


def run_json(report: RunReport) -> str:
    """Return the document of one run, `findings.json` of its folder."""
    return _text(to_mapping(report))


def read_summary(text: str) -> list[RunReport]:
    """Return the reports of a summary, in the order in which they were written.

    Raises:
        ValueError: If it is not a summary, or a newer version wrote it.
    """
    try:
        return [from_mapping(values) for values in json.loads(text)["runs"]]
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no summary of runs: {error!r}") from error


def read_run(text: str) -> RunReport:
    """Return the report of `findings.json`.

    Raises:
        ValueError: If it is none, or a newer version wrote it.
    """
    try:
        return from_mapping(json.loads(text))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"no report of a run: {error!r}") from error


def suite_verdict(reports: Sequence[RunReport]) -> Verdict:
    """Return the worst verdict; a suite in which nothing was judged is INCONCLUSIVE."""
    judged = [report.verdict for report in reports if report.verdict is not Verdict.SKIPPED]
    return worst(judged)


def _text(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

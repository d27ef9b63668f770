"""`summary.json` keeps to its published schema; ATLAS_GOLDEN=1 renews the published file."""

import json
import os
from pathlib import Path

import pytest

from harness.model.verdict import Verdict
from harness.reporting.json_report import summary_json
from harness.reporting.run_report import report_of
from harness.reporting.summary_schema import summary_schema
from tests.reporting.schema_problems import problems

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "docs" / "reference" / "summary.schema.json"


def test_published_schema_is_the_one_of_this_version():
    text = json.dumps(summary_schema(), indent=2) + "\n"
    if os.environ.get("ATLAS_GOLDEN"):
        PUBLISHED.write_text(text)

    assert PUBLISHED.read_text() == text


@pytest.mark.parametrize(
    "path", [ROOT / "reports" / "samples" / "summary.json"], ids=lambda path: path.parent.name
)
def test_committed_summary_keeps_to_the_schema(path):
    assert list(problems(summary_schema(), json.loads(path.read_text()))) == []


def test_summary_of_this_version_keeps_to_the_schema(failed):
    document = json.loads(summary_json([report_of(failed)]))

    assert list(problems(summary_schema(), document)) == []


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda d: d.pop("verdict"), "$.verdict: missing"),
        (lambda d: d["counts"].update(PASSED=-1), "$.counts.PASSED: below 0"),
        (lambda d: d["runs"][0].update(verdict="GREEN"), "$.runs[0].verdict: not one of"),
        (lambda d: d["runs"][0]["findings"][0].update(samples="7"), "samples: not integer"),
        (lambda d: d["runs"][0]["findings"][0].update(value="7"), "none of the alternatives"),
        (lambda d: d.update(schema=0), "$.schema: not 1"),
    ],
)
def test_spoilt_summary_is_caught(failed, spoil, expected):
    document = json.loads(summary_json([report_of(failed)]))
    spoil(document)

    (problem,) = problems(summary_schema(), document)
    assert expected in problem


def test_every_verdict_is_in_the_schema():
    assert summary_schema()["properties"]["verdict"]["enum"] == [str(v) for v in Verdict]

"""JUnit, Markdown, JSON and CSV: for CI systems, people and programs."""

import dataclasses
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from harness.model.finding import Finding
from harness.model.verdict import Verdict
from harness.reporting.check_table import margin_of, samples_of
from harness.reporting.json_report import read_summary, suite_verdict, summary_json
from harness.reporting.junit import clean, junit_xml
from harness.reporting.markdown import SUMMARY_MAX_BYTES, summary
from harness.reporting.measurement import health_of
from harness.reporting.run_report import RunReport, from_mapping, report_of, to_mapping
from harness.reporting.tables_csv import bins_csv, exchanges_csv
from harness.reporting.timeline import timeline_of
from harness.reporting.write import write_reports


def run(name="a", verdict=Verdict.PASSED, **changes):
    about = {"path": f"{name}.chaos.yaml", "claim": "It holds.", "system": "shop", "run_id": name}
    return RunReport(name=name, verdict=verdict, **{**about, **changes})


ALL = [run(str(verdict).lower(), verdict, sentence="why") for verdict in Verdict]


def test_junit_counts_inconclusive_and_harness_errors_as_errors():
    root = ET.fromstring(junit_xml(ALL))  # noqa: S314 -- we wrote it

    counts = {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "1", "errors": "2", "skipped": "1"}
    assert {
        case.get("name"): [child.tag for child in case][1:] for case in root.iter("testcase")
    } == {
        "harness_error": ["error"],
        "failed": ["failure"],
        "inconclusive": ["error"],
        "passed": [],
        "skipped": ["skipped"],
    }


@given(st.text())
def test_junit_can_hold_any_text(text):
    document = junit_xml([run(verdict=Verdict.FAILED, sentence=text, error=text)])

    (failure,) = ET.fromstring(document).iter("failure")  # noqa: S314 -- we wrote it
    assert failure.get("type") == "FAILED"


def test_junit_keeps_what_xml_can_hold():
    assert clean("ä 漢 🙂 \n\t") == "ä 漢 🙂 \n\t"


def test_markdown_shows_the_worst_first_and_explains_only_what_did_not_pass():
    text = summary(ALL)

    rows = [line for line in text.splitlines() if line.startswith("| ") and "scenario" not in line]
    assert [row.split("|")[1].strip().split(" ", 1)[1] for row in rows] == [
        "HARNESS ERROR",
        "FAILED",
        "INCONCLUSIVE",
        "PASSED",
        "SKIPPED",
    ]
    assert "## ❌ failed" in text
    assert "passed\n\n" not in text


def test_markdown_table_survives_pipes_and_newlines():
    finding = Finding(check="a|b", verdict=Verdict.FAILED, expected="x\ny", got="<z>")

    text = summary([run(verdict=Verdict.FAILED, findings=(finding,))])

    assert "| FAIL | a\\|b | x y | &lt;z> |  |  |" in text


def test_report_survives_json(failed):
    report = report_of(failed)

    assert from_mapping(json.loads(json.dumps(to_mapping(report)))) == report


def test_summary_can_be_read_back(failed):
    reports = [report_of(failed), *ALL]

    assert read_summary(summary_json(reports)) == reports


def test_report_of_a_newer_version_is_refused():
    with pytest.raises(ValueError, match="reads schema 1, the report has 2"):
        from_mapping({**to_mapping(run()), "schema": 2})


def test_text_that_is_no_summary_is_refused():
    with pytest.raises(ValueError, match="no summary of runs"):
        read_summary('{"cats": 2}')


def test_keys_of_a_later_version_with_the_same_schema_are_dropped():
    assert from_mapping({**to_mapping(run()), "mood": "good"}) == run()


def test_suite_in_which_nothing_was_judged_is_inconclusive():
    assert suite_verdict([]) is Verdict.INCONCLUSIVE
    assert suite_verdict([run(verdict=Verdict.SKIPPED)]) is Verdict.INCONCLUSIVE


def test_suite_is_as_good_as_its_worst_run():
    assert suite_verdict(ALL) is Verdict.HARNESS_ERROR
    assert suite_verdict([run(), run(verdict=Verdict.SKIPPED)]) is Verdict.PASSED


def test_replay_command_repeats_every_choice(failed):
    assert report_of(failed).replay == (
        "atlas-chaos run scenarios/lookups_recover_after_an_outage.chaos.yaml "
        "--seed 42 --time-scale 1"
    )
    assert run(environment="compose", path="a b.chaos.yaml").replay == (
        "atlas-chaos run 'a b.chaos.yaml' --seed 0 --time-scale 1 --environment compose"
    )


@pytest.mark.parametrize(
    ("value", "limit", "unit", "expected"),
    [
        (14.9, 10.0, "s", "4.9 s over"),
        (0.971, 0.99, "ratio", "1.9 points under"),
        (3.0, 3.0, "", "at the limit"),
        (None, 3.0, "", ""),
    ],
)
def test_margin_says_on_which_side_of_the_limit(value, limit, unit, expected):
    finding = Finding(
        check="a", verdict=Verdict.PASSED, expected="", got="", value=value, limit=limit, unit=unit
    )

    assert margin_of(finding) == expected


def test_too_few_samples_name_what_was_needed():
    finding = Finding(
        check="a", verdict=Verdict.INCONCLUSIVE, expected="", got="", samples=7, needed=20
    )

    assert samples_of(finding) == "7 of 20"


def test_csv_has_a_row_per_bin_and_leaves_unknown_latencies_empty(failed, history):
    timeline = timeline_of(failed, history)

    heading, *rows = bins_csv(timeline.bins).splitlines()

    assert heading == "start_s,total,failed,rejected,unknown,p50_ms,p99_ms"
    assert len(rows) == 60
    assert rows[30].endswith(",0,,")


def test_exchanges_are_rows_with_everything_that_a_search_needs(digest):
    heading, *rows = exchanges_csv(digest.around).splitlines()

    assert heading.startswith("t_s,load,request,outcome,reason,status,source,latency_ms")
    assert len(rows) == 5
    assert all("GET /v1/lookup" in row for row in rows)


def test_measurement_tells_dispatch_gaps_and_each_step_of_a_fault(history):
    facts = dict(health_of(history))

    assert facts["dispatch"] == "late by 0 s at the 99th percentile"
    assert facts["events missing"] == "0"
    assert facts["fault 0:down"] == "healed at 35.02 s: proxy api -> db is enabled"


def test_summary_is_appended_to_the_page_of_a_github_step(failed, tmp_path):
    page = tmp_path / "step.md"
    page.write_text("# Before\n")

    write_reports([failed], tmp_path, root=Path.cwd(), environ={"GITHUB_STEP_SUMMARY": str(page)})

    assert page.read_text() == "# Before\n" + (tmp_path / "summary.md").read_text()


def test_page_that_cannot_be_written_changes_nothing(failed, tmp_path):
    environ = {"GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "folder.md")}

    write_reports([failed], tmp_path, root=Path.cwd(), environ=environ)

    assert (tmp_path / "summary.md").is_file()


def test_summary_of_a_huge_suite_fits_onto_the_page(failed):
    report = dataclasses.replace(report_of(failed), sentence="x" * 5_000)

    text = summary([report] * 400)

    assert len(text.encode()) <= SUMMARY_MAX_BYTES
    assert "the rest is in summary.json" in text
    assert text.count("| lookups\\_recover") == 400

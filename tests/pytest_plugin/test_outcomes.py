"""Every verdict has one meaning in pytest, JUnit, Allure and our own files, with and without -n."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

VERDICTS = ("pass", "fail", "doubt", "error", "skip", "break", "explode")
ALL = ("-q", "--alluredir=allure", "--junitxml=junit.xml", "--chaos-report-dir=out")


@pytest.fixture(scope="module", params=[(), ("-n", "2")], ids=["serial", "two_workers"])
def session(request, tmp_path_factory, make_project):
    project = make_project(tmp_path_factory.mktemp("outcomes"))
    for verdict in VERDICTS:
        project.scenario(f"it_{verdict}", verdict, tags=["api"])
    return project.run(*ALL, *request.param)


def test_exit_code_says_that_not_all_passed(session):
    assert session.code == 1


def test_failed_is_a_failure_and_everything_undecided_is_an_error(session):
    assert "1 failed, 1 passed, 1 skipped, 4 errors" in session.output


def test_summary_shows_one_line_with_the_verdict_sentence(session):
    line = (
        "FAILED scenarios/it_fail.chaos.yaml::it_fail - PropertyViolation: holds: it did not (fail)"
    )

    assert line in session.output.splitlines()


def test_failure_shows_table_replay_command_and_timeline(session):
    assert "FAIL  holds(lookups)" in session.output
    assert "replay  atlas-chaos run scenarios/it_fail.chaos.yaml --seed 42" in session.output
    assert "|baseline           |fault" in session.output


def test_unforeseen_exception_shows_where_it_came_from_without_pytest_frames(session):
    assert "stand_in.py" in session.output
    assert "_pytest/runner.py" not in session.output


def test_last_line_counts_every_verdict(session):
    expected = (
        "7 scenarios: 1 passed, 1 failed, 1 inconclusive, 3 harness errors, 1 skipped; seed 42"
    )

    assert expected in session.output.splitlines()


def test_junit_tells_errors_from_failures(session):
    (suite,) = ET.parse(session.folder / "junit.xml").getroot()  # noqa: S314 -- we wrote it

    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "7",
        "failures": "1",
        "errors": "4",
        "skipped": "1",
    }
    assert len(suite.findall("testcase/error")) == 4
    assert len(suite.findall("testcase/failure")) == 1


def test_junit_carries_verdict_and_figures_as_properties(session):
    (suite,) = ET.parse(session.folder / "junit.xml").getroot()  # noqa: S314 -- we wrote it

    path = "testcase[@name='it_doubt']/properties/property"
    found = {item.get("name"): item.get("value") for item in suite.findall(path)}

    assert found["verdict"] == "INCONCLUSIVE"
    assert found["recovery_time_s"] == "1.5"


def test_allure_status_follows_the_verdict(session):
    found = {result["name"]: result["status"] for result in session.allure()}

    assert found == {
        "it pass": "passed",
        "it fail": "failed",
        "it doubt": "broken",
        "it error": "broken",
        "it skip": "skipped",
        "it break": "broken",
        "it explode": "broken",
    }


def test_allure_message_has_no_module_path(session):
    found = {result["name"]: result.get("statusDetails", {}) for result in session.allure()}

    assert found["it fail"]["message"] == "PropertyViolation: holds: it did not (fail)"
    assert found["it doubt"]["message"] == "Inconclusive: holds: it did not (doubt)"
    assert found["it break"]["message"] == "HarnessError: the proxy would not start"


def test_allure_identity_survives_allure_pytest(session):
    result = next(item for item in session.allure() if item["name"] == "it fail")

    assert result["fullName"] == "scenarios/it_fail.chaos.yaml#it_fail"
    assert result["titlePath"] == ["scenarios/it_fail.chaos.yaml"]
    counted = [item for item in result["parameters"] if not item.get("excluded")]
    assert counted == [{"name": "environment", "value": "processes"}]


def test_allure_shows_table_and_figure_without_a_click(session):
    result = next(item for item in session.allure() if item["name"] == "it fail")

    assert "<b>FAIL</b>" in result["descriptionHtml"]
    assert "data:image/svg+xml;base64," in result["descriptionHtml"]


def test_allure_steps_are_the_phases_and_then_the_checks(session):
    result = next(item for item in session.allure() if item["name"] == "it fail")

    names = [step["name"] for step in result["steps"]]

    assert names == ["baseline", "fault", "settle", "holds(lookups): some (expected all)"]


def test_every_attachment_was_written(session):
    for result in session.allure():
        for attachment in result.get("attachments", []):
            assert (session.folder / "allure" / attachment["source"]).stat().st_size > 0


def test_side_files_are_written_once_by_the_main_process(session):
    properties = (session.folder / "allure" / "environment.properties").read_text()

    assert "seed=42\n" in properties
    assert json.loads((session.folder / "allure" / "categories.json").read_text())


def test_thread_label_names_the_worker(session):
    labels = [label for result in session.allure() for label in result["labels"]]

    threads = {label["value"] for label in labels if label["name"] == "thread"}

    assert threads <= {"main", "gw0", "gw1"}


def test_report_folder_holds_summary_and_run_files(session):
    summary = json.loads((session.folder / "out" / "summary.json").read_text())

    assert summary["counts"]["FAILED"] == 1
    assert len(summary["runs"]) == 7
    run = Path(session.folder / "out" / "runs" / "it_fail")
    assert (run / "timeline.svg").read_text().startswith("<svg")
    assert json.loads((run / "findings.json").read_text())["verdict"] == "FAILED"


def test_each_scenario_has_a_metrics_file_that_a_rerun_replaces(session):
    names = [path.name for path in (session.folder / "allure").glob("*-perf.json")]

    assert len(names) == len(set(names)) == 5  # two of the seven broke before a run ended


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["serial", "one_worker"])
def test_what_the_runs_shared_is_gone_when_the_session_is_over(project, workers):
    project.scenario("it_a", "pass")
    project.scenario("it_b", "pass")

    session = project.run(*workers, "--chaos-report-dir=out")

    assert session.code == 0, session.output
    assert list((project.folder / "out").glob("shared-*")) == []


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["serial", "one_worker"])
def test_what_they_leave_behind_is_an_error_after_the_last_of_them(project, workers):
    project.scenario("it_a", "pass")
    project.scenario("it_b", "pass")
    (project.folder / "out").mkdir()
    (project.folder / "out" / "left").touch()

    session = project.run(*workers, "--chaos-report-dir=out")

    assert session.code == 1
    assert "2 passed, 1 error" in session.output
    assert "WorldNotClean: left behind: a network" in session.output

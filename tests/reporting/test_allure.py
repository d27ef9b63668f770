"""Allure results of the command line, and what they share with pytest's."""

import dataclasses
import json
import re
from pathlib import Path

import pytest

from harness.model.finding import Finding
from harness.model.history import History
from harness.model.verdict import Verdict
from harness.reporting.allure import EXCEPTIONS, content_of
from harness.reporting.allure_documents import HTTP_EXCHANGE, exchange_title
from harness.reporting.allure_files import categories, executor_of, write_broken, write_side_files
from harness.reporting.digest import digest_of
from harness.reporting.write import write_reports
from tests.reporting.sample_runs import sample_scenario


@pytest.fixture(scope="module")
def folder(failed, tmp_path_factory):
    directory = tmp_path_factory.mktemp("reports")
    write_reports([failed], directory, root=Path.cwd(), facts={"seed": "42", "path": "C:\\x\ny"})
    return directory


@pytest.fixture(scope="module")
def result(folder):
    (path,) = (folder / "allure-results").glob("*-result.json")
    return json.loads(path.read_text())


def test_every_document_is_written(folder):
    names = sorted(path.name for path in folder.iterdir())

    assert names == ["allure-results", "junit.xml", "summary.json", "summary.md"]


def test_run_folder_gets_findings_and_figure(failed, folder):
    assert folder.exists()
    run = failed.settings.folder

    assert json.loads((run / "findings.json").read_text())["verdict"] == "FAILED"
    assert (run / "timeline.svg").read_text().startswith("<svg")


def test_identity_has_neither_seed_nor_run_nor_worker(failed, digest):
    other = dataclasses.replace(
        failed, settings=dataclasses.replace(failed.settings, seed=7, run_id="r2")
    )

    first = content_of(failed, digest, Path.cwd())
    second = content_of(other, digest, Path.cwd())

    assert first.full_name == (
        "scenarios/lookups_recover_after_an_outage.chaos.yaml#lookups_recover_after_an_outage"
    )
    assert first.history_id == second.history_id
    assert first.test_case_id == second.test_case_id


def test_environment_is_part_of_the_identity(failed, digest):
    other = dataclasses.replace(
        failed, settings=dataclasses.replace(failed.settings, environment="compose")
    )

    first = content_of(failed, digest, Path.cwd())

    assert first.history_id != content_of(other, digest, Path.cwd()).history_id


def test_phases_are_steps_with_real_times_and_events_as_children(result):
    baseline, fault, settle = result["steps"][:3]

    assert (baseline["name"], fault["name"], settle["name"]) == ("baseline", "fault", "settle")
    assert fault["start"] - baseline["start"] == 20_000
    assert [step["name"] for step in fault["steps"]] == [
        "20.01 s down api -> db applied: proxy api -> db is disabled",
        "20.60 s down api -> db effect: 3 connections refused",
        "22.40 s breaker api -> db: closed to open",
        "32.40 s breaker api -> db: open to half_open",
        "32.90 s breaker api -> db: half_open to open",
    ]


def test_checks_are_steps_with_the_failed_one_first(result):
    checks = result["steps"][3:]

    assert [step["status"] for step in checks] == ["failed", "passed", "passed"]
    assert checks[0]["statusDetails"]["message"] == "expected at most 10 s, got 14.9 s"
    assert {item["name"]: item["value"] for item in checks[0]["parameters"]}[
        "margin"
    ] == "4.9 s over"


def test_message_is_the_verdict_sentence_with_the_class_that_categories_match(result):
    assert result["status"] == "failed"
    assert result["statusDetails"]["message"].startswith(
        "PropertyViolation: recovery_time(lookups)"
    )


def test_description_shows_claim_table_figure_and_replay(result):
    html = result["descriptionHtml"]

    assert "After 15 s without a database" in html
    assert "><b>FAIL</b><br>recovery_time(lookups)</td>" in html
    assert "<b>expected</b> at most 10 s<br><b>got</b> 14.9 s" in html
    assert "<b>4.9 s over</b><br>1003 samples" in html
    assert "data:image/svg+xml;base64," in html
    assert "--seed 42 --time-scale 1</pre>" in html


def test_description_escapes_what_scenarios_say(failed, digest):
    odd = dataclasses.replace(failed, scenario=sample_scenario(claim="<script>alert(1)</script>"))

    html = content_of(odd, digest, Path.cwd()).description_html

    assert "<script>" not in html


def test_attachments_exist_and_the_figure_comes_first(folder, result, digest):
    names = [attachment["name"] for attachment in result["attachments"]]

    assert names == [
        "timeline",
        "replay command",
        *(exchange_title(exchange) for exchange in digest.around),
        "requests around the worst case",
        "figures per 1 s",
        "sample of 300 operations",
        "findings",
    ]
    for attachment in result["attachments"]:
        assert (folder / "allure-results" / attachment["source"]).stat().st_size > 0


def test_requests_around_the_worst_case_are_shown_as_requests(folder, result):
    shown = [item for item in result["attachments"] if item["type"] == HTTP_EXCHANGE]

    documents = [
        json.loads((folder / "allure-results" / item["source"]).read_text()) for item in shown
    ]
    assert len(documents) == 5
    assert sum(item["name"].startswith("worst case, ") for item in shown) == 1
    for document in documents:
        assert document["request"]["method"] == "GET"
        assert document["request"]["url"].startswith("/v1/lookup")
        assert document["stop"] >= document["start"]
    starts = [document["start"] for document in documents]
    assert starts == sorted(starts)


def test_verdict_stands_first_where_allure_shows_no_error(failed, digest):
    passed = dataclasses.replace(failed, verdict=Verdict.PASSED, sentence="held: all of it")

    html = content_of(passed, digest, Path.cwd()).description_html

    assert html.startswith("<p><b>PASSED</b>: held: all of it</p>")


def test_evidence_that_held_stands_below_the_figure_and_missing_evidence_above(failed, digest):
    held = Finding(check="dispatch", verdict=Verdict.PASSED, expected="e", got="in time")
    missed = dataclasses.replace(held, check="baseline", verdict=Verdict.INCONCLUSIVE)
    run = dataclasses.replace(failed, findings=(*failed.findings, held, missed))

    html = content_of(run, digest, Path.cwd()).description_html

    assert html.index("<b>UNSURE</b><br>baseline") < html.index("<img")
    assert html.index("<img") < html.index(">dispatch</td>") < html.index(">in time</td>")


def test_error_of_the_harness_is_told_and_nothing_is_drawn_of_nothing(failed):
    broke = dataclasses.replace(
        failed, verdict=Verdict.HARNESS_ERROR, findings=(), error="first line\nsecond <line>"
    )

    content = content_of(broke, digest_of(broke, History([])), Path.cwd())

    assert ">first line\nsecond &lt;line&gt;</pre>" in content.description_html
    assert "<img" not in content.description_html
    assert [document.name for document in content.documents] == ["replay command", "findings"]


def test_picture_is_told_in_words_to_those_who_do_not_see_it(result):
    (told,) = re.findall(r'alt="([^"]*)"', result["descriptionHtml"])

    assert "FAILED" in told
    assert "down: api -&gt; db from 20 s to 35 s" in told
    assert "recovered in 14.9 s (limit 10 s)" in told


def test_labels_group_by_system_file_severity_and_fault(result):
    labels = {(label["name"], label["value"]) for label in result["labels"]}

    assert labels >= {
        ("parentSuite", "shop"),
        ("suite", "lookups_recover_after_an_outage.chaos.yaml"),
        ("severity", "blocker"),
        ("faultKind", "down"),
        ("tag", "database"),
    }


def test_run_without_a_history_is_still_told(failed):
    broke = dataclasses.replace(
        failed,
        verdict=Verdict.HARNESS_ERROR,
        findings=(),
        sentence="ServiceNotReady: api",
        error="ServiceNotReady: api",
        history_path=None,
    )

    content = content_of(broke, None, Path.cwd())

    assert content.status == "broken"
    assert content.message == "HarnessBroke: ServiceNotReady: api"
    assert content.steps == ()


def test_later_suite_replaces_the_results_of_an_earlier_one(failed, tmp_path):
    for _ in range(2):
        write_reports([failed], tmp_path, root=Path.cwd())

    assert len(list((tmp_path / "allure-results").glob("*-result.json"))) == 1


def test_properties_keep_one_line_per_fact(folder):
    text = (folder / "allure-results" / "environment.properties").read_text()

    assert text == "path=C:\\\\x y\nseed=42\n"


def test_metrics_have_a_key_per_scenario_and_one_over_all(folder):
    (path,) = (folder / "allure-results").glob("*-perf.json")
    rows = json.loads(path.read_text())

    keys = [row["key"] for row in rows]
    assert "lookups_recover_after_an_outage.recovery_time_s" in keys
    assert "recovery_time_s" in keys
    assert all(row["id"] and row["stop"] >= row["start"] for row in rows)


def test_metrics_tell_their_unit_and_which_way_is_better(folder):
    (path,) = (folder / "allure-results").glob("*-perf.json")
    rows = {row["key"]: row for row in json.loads(path.read_text())}

    assert (rows["recovery_time_s"]["unit"], rows["recovery_time_s"]["better"]) == ("s", "lower")
    assert (rows["success_ratio"]["unit"], rows["success_ratio"]["better"]) == ("ratio", "higher")


def test_broken_result_needs_no_run(tmp_path):
    write_broken(
        tmp_path,
        full_name="scenarios/a.chaos.yaml#a",
        title="a",
        message="never run",
        labels=[("suite", "a")],
    )

    (path,) = tmp_path.glob("*-result.json")
    written = json.loads(path.read_text())
    assert written["status"] == "broken"
    assert written["statusDetails"] == {"message": "never run"}


def first_category(status, message):
    for rule in categories():
        pattern = str(rule.get("messageRegex", ".*"))
        is_asked = status in rule["matchedStatuses"] and not rule.get("flaky")
        if is_asked and re.fullmatch(pattern, message, re.DOTALL):
            return rule["name"]
    return None


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        ("failed", "PropertyViolation: a\nb", "Resilience property violated"),
        ("broken", "Inconclusive: baseline: not steady", "not healthy before the fault"),
        ("broken", "Inconclusive: fault_effect(0:down): no effect was seen", "had no effect"),
        ("broken", "Inconclusive: success_ratio: 7 of 20", "too little evidence"),
        ("broken", "FileProblems: a.chaos.yaml:3:1: unknown key", "Scenario file"),
        ("broken", "worker 'gw0' crashed while running 'a'", "Never judged"),
        ("broken", "never run: the session ended", "Never judged"),
        ("broken", "HarnessBroke: ServiceNotReady", "Harness error"),
    ],
)
def test_first_category_that_matches_is_the_right_one(status, message, expected):
    name = first_category(status, message)

    assert name is not None
    assert expected in name


def test_categories_are_valid_in_javascript_too():
    for rule in categories():
        assert "(?" not in str(rule.get("messageRegex", ""))  # inline flags are an error there


def test_every_exception_name_is_used_by_a_category_or_is_the_last_resort():
    text = json.dumps(categories())

    assert [name for name in EXCEPTIONS.values() if name not in text] == ["HarnessBroke"]


@pytest.mark.parametrize(
    ("environ", "kind", "order"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_RUN_NUMBER": "12"}, "github", 12),
        ({"GITLAB_CI": "true", "CI_PIPELINE_IID": "3"}, "gitlab", 3),
        ({"JENKINS_URL": "http://x", "BUILD_NUMBER": "weird"}, "jenkins", 0),
    ],
)
def test_executor_names_the_ci_system_and_its_build(environ, kind, order):
    executor = executor_of(environ)

    assert executor["type"] == kind
    assert executor["buildOrder"] == order


def test_executor_file_is_written_on_ci_only(tmp_path):
    write_side_files(tmp_path / "local", {})
    write_side_files(tmp_path / "ci", {}, {"GITLAB_CI": "1"})

    assert not (tmp_path / "local" / "executor.json").exists()
    assert (tmp_path / "ci" / "executor.json").exists()


def test_flapping_breaker_does_not_flood_the_steps(failed, history):
    moves = [record for record in history if record.kind == "breaker"]
    many = [dataclasses.replace(moves[0], t_ns=21_000_000_000 + i) for i in range(300)]

    content = content_of(failed, digest_of(failed, History([*history, *many])), Path.cwd())

    fault = content.steps[1]
    assert len(fault.steps) == 101
    assert fault.steps[-1].name == "and 205 more, see the history"


def test_findings_of_the_same_check_are_all_steps(failed, digest):
    twice = tuple(
        Finding(check="same", verdict=Verdict.PASSED, expected="e", got=str(i)) for i in range(2)
    )

    content = content_of(dataclasses.replace(failed, findings=twice), digest, Path.cwd())

    assert len(content.steps) == 3 + 2


def test_what_was_expected_and_got_is_shown_as_text(failed, digest):
    finding = Finding(
        check="recovery_time(a & b)", verdict=Verdict.PASSED, expected="< 2 s", got="<b>"
    )

    html = content_of(
        dataclasses.replace(failed, findings=(finding,)), digest, Path.cwd()
    ).description_html

    assert ">ok<br>recovery_time(a &amp; b)</td>" in html
    assert "<b>expected</b> &lt; 2 s<br><b>got</b> &lt;b&gt;</td>" in html

"""Scenario files are collected, selected and refused as pytest users expect."""

import json

import pytest

pytestmark = pytest.mark.slow


def test_collect_only_shows_claims_at_a_glance_and_runs_nothing(project):
    project.scenario("it_a", "crash", tags=["api", "slow-one"])

    session = project.run("--collect-only", "-q", "-q", "--chaos-report-dir=out")
    tree = project.run("--collect-only")

    assert session.code == tree.code == 0
    assert (
        "<Scenario it_a  no fault  normal  at most 20 s unscaled  tags=api,slow-one>" in tree.output
    )
    assert not (project.folder / "out").exists()
    assert "NOT JUDGED" not in session.output + tree.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("-k", "it_a"),
        ("-m", "api"),
        ("-k", "api and not it_b"),
        ("--allure-epics=shop", "-k", "it_a"),
    ],
    ids=["name", "marker", "words", "allure"],
)
def test_selection_by_name_tag_and_words(project, arguments):
    project.scenario("it_a", "pass", tags=["api"])
    project.scenario("it_b", "pass", tags=["batch"])

    session = project.run(*arguments, "--strict-markers")

    assert session.code == 0
    assert "1 passed, 1 deselected" in session.output


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["serial", "two_workers"])
def test_unreadable_file_is_told_with_its_place_and_reaches_allure(project, workers):
    project.scenario("it_a", "pass")
    project.scenario("it_b", "pass", sverity="minor")

    session = project.run("--alluredir=allure", *workers)

    assert session.code == (1 if workers else 2)
    line = "scenarios/it_b.chaos.yaml:3:1: unknown key 'sverity'; did you mean 'severity'?"
    assert line in session.output
    assert "Traceback" not in session.output
    broken = [item for item in session.allure() if item["status"] == "broken"]
    named = next(item for item in broken if item["fullName"].startswith("scenarios/it_b"))
    assert "FileProblems" in named["statusDetails"]["message"]


def test_scenario_that_cannot_run_here_is_an_error_if_it_was_named(project):
    path = project.scenario("it_a", "skip")

    found = project.run()
    named = project.run(str(path.relative_to(project.folder)))

    assert found.code == 0
    assert "1 skipped" in found.output
    assert named.code == 1
    assert "PlanRefused: it_a: it needs a kernel module" in named.output


def test_options_reach_the_run(project):
    project.scenario("it_a", "pass")

    session = project.run(
        "--chaos-seed=7",
        "--time-scale=0.5",
        "--environment=compose",
        "--proxy=toxiproxy",
        "--chaos-report-dir=out",
    )

    assert session.code == 0
    choices = json.loads((project.folder / "out" / "choices.json").read_text())
    assert choices["seed"] == 7
    assert choices["time_scale"] == 0.5
    assert choices["environment"] == "compose"
    assert choices["proxy"] == "toxiproxy"


@pytest.mark.parametrize(("environment", "scale"), [("processes", 0.1), ("compose", 0.2)])
def test_time_scale_unless_told_is_that_of_the_environment(project, environment, scale):
    project.scenario("it_a", "pass")

    session = project.run(f"--environment={environment}", "--chaos-report-dir=out")

    assert session.code == 0
    choices = json.loads((project.folder / "out" / "choices.json").read_text())
    assert choices["time_scale"] == scale


def test_short_option_of_somebody_else_stays_theirs(project):
    project.scenario("it_a", "pass")
    project.conftest(
        "def pytest_addoption(parser):\n"
        "    parser.addoption('--environment', dest='theirs', default='x')\n"
    )

    session = project.run("--environment=staging", "--chaos-report-dir=out")

    assert session.code == 0
    choices = json.loads((project.folder / "out" / "choices.json").read_text())
    assert choices["environment"] == "processes"


def test_time_scale_out_of_range_is_a_usage_error(project):
    project.scenario("it_a", "pass")

    session = project.run("--chaos-time-scale=2")

    assert session.code == 4
    assert "expected a factor in (0, 1], got 2" in session.output


def test_other_patterns_of_the_ini_file_are_collected_instead(project):
    (project.folder / "pytest.ini").write_text("[pytest]\nchaos_patterns = *.storm.yaml\n")
    path = project.scenario("it_a", "pass")
    path.rename(path.with_name("it_a.storm.yaml"))
    project.scenario("it_b", "fail")

    session = project.run()

    assert session.code == 0
    assert "1 passed" in session.output


def test_verbose_without_a_terminal_prints_one_line_per_phase(project):
    project.scenario("it_a", "pass")

    session = project.run("-v", "-n", "1")

    assert session.output.count("it_a: baseline, at most 5 s, 7 operations, 0 not ok") == 1
    assert session.output.count("it_a: fault, at most 5 s, 7 operations, 0 not ok") == 1
    assert "1 passed" in session.output

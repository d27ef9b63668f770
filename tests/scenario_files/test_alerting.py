"""The section `alerts`: its rules are read, and checks name alerts that they define."""

from pathlib import Path

import pytest

from fault_injectors.catalogue import FAULTS
from harness.checks import CHECKS
from harness.model.alerting import Alerting
from harness.model.errors import FileProblems
from harness.model.scaling import scaled
from harness.scenario_files import dump_scenario, read_scenario
from tests.scenario_files.texts import SCENARIO, SYSTEM

RULES = "groups:\n  - name: g\n    rules:\n      - alert: TooSlow\n        expr: x > ${seconds:3}\n"
SECTION = "alerts: {rules: rules/a.yml, scrape: [api], every: 5s}"


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "small.system.yaml").write_text(SYSTEM)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yml").write_text(RULES)
    return tmp_path


def with_alerts(section=SECTION, check="alert: {alert: TooSlow}"):
    """Return the text of the sound scenario with a section, and one check alone."""
    head, _, _ = SCENARIO.partition("checks:\n")
    return f"{head}{section}\nchecks:\n  - {check}\n"


def read(text, folder):
    path = folder / "sound.chaos.yaml"
    return read_scenario(text, path, faults=FAULTS, checks=CHECKS)


def problems(text, folder):
    with pytest.raises(FileProblems) as caught:
        read(text, folder)
    return [problem.message for problem in caught.value.problems]


def test_section_is_read_and_written_back(folder):
    scenario = read(with_alerts(), folder)

    assert scenario.alerts == Alerting(rules=Path("rules/a.yml"), scrape=("api",), every_s=5.0)
    assert read(dump_scenario(scenario), folder) == scenario


def test_interval_scales_and_rules_do_not_move(folder):
    scenario = scaled(read(with_alerts(), folder), 0.1)

    assert scenario.alerts == Alerting(rules=Path("rules/a.yml"), scrape=("api",), every_s=0.5)


def test_service_that_is_scraped_is_started(folder):
    section = "alerts: {rules: rules/a.yml, scrape: [batch], every: 5s}"

    assert "batch" in read(with_alerts(section), folder).services()


def test_alert_that_no_rule_defines_is_told_with_a_suggestion(folder):
    text = with_alerts(check="alert: {alert: TooSlo, fires_within: 10s}")

    assert problems(text, folder) == [
        "alert.alert: no alert 'TooSlo'; expected 'TooSlow'; did you mean 'TooSlow'?"
    ]


def test_check_without_the_section_is_told(folder):
    assert problems(with_alerts(section=""), folder) == [
        "alert.alert: no alert 'TooSlow'; there is none"
    ]


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("groups: []\n", "defines no alert"),
        (RULES.replace("seconds", "minutes"), "line 5: expected ${duration:5m}"),
        (RULES.replace("seconds:3", "seconds:3m"), "got ${seconds:3m}"),
    ],
)
def test_rules_that_cannot_be_used_are_told_before_anything_starts(rules, told, folder):
    (folder / "rules" / "a.yml").write_text(rules)

    [message] = [one for one in problems(with_alerts(), folder) if one.startswith("alerts.rules")]

    assert told in message


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("alerts: {rules: b.yml, scrape: [api], every: 5s}", "b.yml: no such file or folder"),
        ("alerts: {rules: rules/a.yml, scrape: [apy], every: 5s}", "did you mean 'api'?"),
        ("alerts: {rules: rules/a.yml, scrape: [api], every: 5}", "5 what?"),
        ("alerts: {rules: rules/a.yml, scrape: [], every: 5s}", "scrape"),
        ("alerts: {rules: [a], scrape: [api], every: 5s}", "got a list"),
    ],
)
def test_section_with_a_mistake_is_told(section, told, folder):
    assert any(told in message for message in problems(with_alerts(section), folder))

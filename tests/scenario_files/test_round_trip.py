"""Writing a scenario and reading it again changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from fault_injectors.catalogue import FAULTS
from harness.scenario_files import SystemFiles, dump_scenario, load_scenario, read_scenario
from harness.scenario_files.yaml_text import write_yaml
from tests.scenario_files.small_catalogue import CHECKS
from tests.scenario_files.strategies import json_values, scenarios
from tests.scenario_files.texts import SCENARIO, SYSTEM, read


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("scenarios")
    (path / "small.system.yaml").write_text(SYSTEM, encoding="utf-8")
    return path


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_scenario_survives_being_written_and_read(data, folder):
    systems = SystemFiles()
    path = folder / "small.chaos.yaml"
    scenario = data.draw(scenarios(path, systems.load(folder / "small.system.yaml")))

    text = dump_scenario(scenario)

    assert read_scenario(text, path, faults=FAULTS, checks=CHECKS, systems=systems) == scenario


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(value=json_values)
def test_any_json_value_survives_as_the_body_of_a_load(value, folder):
    text = SCENARIO.replace("    rate: 4/s\n", "    rate: 4/s\n    body: 0\n")
    scenario = read(folder, text)
    load = replace(scenario.loads[0], body=value)

    read_back = read(folder, dump_scenario(replace(scenario, loads=(load,))))

    assert read_back.loads[0].body == value


def test_a_dump_shows_only_what_differs_from_the_defaults(tmp_path):
    scenario = read(tmp_path, SCENARIO)

    assert (
        dump_scenario(scenario)
        == """\
claim: Lookups survive a dead database.
system: small
severity: critical
tags: [api]
load:
  lookups:
    service: api
    request: "GET /v1/lookup?lat={lat}&lon={lon}"
    dataset: cities
    rate: 4/s
    patience: 5s
    expect_status: [200, 404]
probes:
  health: {service: api, path: /v1/health, every: 1s}
steady_state:
  loads: [lookups]
baseline: 20s
timeline:
  - fault: latency
    link: api -> db
    delay: 800ms
    at: 20s
    for: 1min
settle:
  at_most: 90s
  hold: 10s
  until:
    - probe: health
      value: tasks.open
      equals: 0
checks:
  - enough_success: {load: lookups, during: fault, at_least: 99%}
  - nothing_lost: {}
"""
    )


def test_prose_of_several_lines_is_written_as_a_block():
    text = write_yaml({"reason": "One line.\n\n  An indented one: it holds a colon.\n"})

    assert text == "reason: |\n  One line.\n\n    An indented one: it holds a colon.\n"


def test_a_scaled_scenario_is_not_written(tmp_path):
    scenario = replace(read(tmp_path, SCENARIO), time_scale=0.5)

    with pytest.raises(ValueError, match=r"small was scaled by 0\.5; dump the original"):
        dump_scenario(scenario)


def test_a_system_in_another_folder_is_referred_to_by_its_path(tmp_path):
    (tmp_path / "small.system.yaml").write_text(SYSTEM, encoding="utf-8")
    folder = tmp_path / "regressions"
    folder.mkdir()
    path = folder / "small.chaos.yaml"
    path.write_text(SCENARIO.replace("system: small", "system: ../small.system.yaml"))

    scenario = load_scenario(path, faults=FAULTS, checks=CHECKS)

    assert scenario.system.name == "small"
    assert "system: ../small.system.yaml\n" in dump_scenario(scenario).replace('"', "")

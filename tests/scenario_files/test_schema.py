"""The JSON Schemas say what the parser says, as far as a schema can."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from fault_injectors.catalogue import FAULTS
from harness.checks.catalogue import CHECKS as BUNDLED_CHECKS
from harness.model.fields import fields_of
from harness.scenario_files import discover, json_schema, system_json_schema
from tests.scenario_files.schema_subset import conforms
from tests.scenario_files.small_catalogue import CHECKS
from tests.scenario_files.test_broken_files import SCENARIO_CASES, SYSTEM_CASES
from tests.scenario_files.texts import SCENARIO, SYSTEM, changed

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
SCHEMA = json_schema(FAULTS, CHECKS)

STRUCTURAL = (  # what a schema can know without another section or file
    "an unknown key",
    "a misspelt field of a fault",
    "a bare rate",
    "a bare duration",
    "a bare percentage",
    "a list where a mapping is expected",
    "a status out of range",
    "an empty list",
    "a word that is no choice",
    "something that is no link",
    "a request without a method",
    "an unknown fault",
    "an unknown check",
    "an unknown field of a check",
    "a missing field of a check",
    "a check that is two",
    "a number below its minimum",
    "a load without a rate",
    "a scenario without checks",
    "an expected verdict that proves nothing",
    "a claim that is a number",
    "a load with a bad name",
)


def values(text: str) -> object:
    """Return what an editor would hand to a validator."""
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("path", discover([SCENARIOS]), ids=lambda path: path.name)
def test_bundled_scenarios_conform(path: Path):
    schema = json_schema(FAULTS, BUNDLED_CHECKS)

    assert conforms(values(path.read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.system.yaml")), ids=lambda p: p.name)
def test_bundled_systems_conform(path: Path):
    assert conforms(values(path.read_text(encoding="utf-8")), system_json_schema())


def test_the_small_files_conform():
    assert conforms(values(SCENARIO), SCHEMA)
    assert conforms(values(SYSTEM), system_json_schema())


@pytest.mark.parametrize("name", STRUCTURAL)
def test_what_a_schema_can_know_is_refused_by_it_too(name):
    [case] = [case for case in SCENARIO_CASES if case.name == name]

    assert not conforms(values(changed(SCENARIO, case.old, case.new)), SCHEMA)


@pytest.mark.parametrize("name", ["an unknown key", "a link without a variable", "no services"])
def test_what_a_system_schema_can_know_is_refused_by_it_too(name):
    [case] = [case for case in SYSTEM_CASES if case.name == name]

    assert not conforms(values(changed(SYSTEM, case.old, case.new)), system_json_schema())


def test_a_schema_describes_every_field_of_every_fault_and_check():
    text = json.dumps(SCHEMA)

    for described in (*FAULTS, *CHECKS):
        assert json.dumps(described.summary) in text
        for item in fields_of(described):
            assert json.dumps({"description": item.doc})[1:-1] in text

"""Every way to get a file wrong that we thought of, with exactly what users are told."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.scenario_files.texts import (
    SCENARIO,
    SYSTEM,
    changed,
    scenario_problems,
    system_problems,
)

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """One change to a sound file, and what is wrong then."""

    name: str
    old: str
    new: str
    problems: tuple[str, ...]


def cases(name: str) -> list[Case]:
    """Read the cases of a table."""
    found = []
    for block in (HERE / name).read_text(encoding="utf-8").split("\n## ")[1:]:
        title, *lines = block.rstrip("\n").split("\n")
        parts = {mark: [line[1:] for line in lines if line.startswith(mark)] for mark in "-+>"}
        old, new = "\n".join(parts["-"]), "\n".join(parts["+"])
        problems = tuple(line.strip() for line in parts[">"])
        found.append(Case(name=title, old=old, new=new, problems=problems))
    return found


SCENARIO_CASES = cases("broken_scenarios.cases")
SYSTEM_CASES = cases("broken_systems.cases")


@pytest.mark.parametrize("case", SCENARIO_CASES, ids=lambda case: case.name)
def test_a_broken_scenario_is_told_at_its_place(case: Case, tmp_path):
    text = changed(SCENARIO, case.old, case.new)

    found = scenario_problems(tmp_path, text)

    assert found == list(case.problems)


@pytest.mark.parametrize("case", SYSTEM_CASES, ids=lambda case: case.name)
def test_a_broken_system_is_told_at_its_place(case: Case):
    text = changed(SYSTEM, case.old, case.new)

    found = system_problems(text)

    assert found == list(case.problems)


def test_the_unbroken_files_have_no_problem(tmp_path):
    found = [*scenario_problems(tmp_path, SCENARIO), *system_problems(SYSTEM)]

    assert found == []


def test_the_tables_hold_what_they_promise():
    assert len(SCENARIO_CASES) + len(SYSTEM_CASES) >= 100
    assert all(case.problems for case in (*SCENARIO_CASES, *SYSTEM_CASES))


def test_a_character_that_yaml_lacks_is_told_at_its_place(tmp_path):
    text = changed(SCENARIO, "claim: Lookups", "claim: Look\x07ups")

    found = scenario_problems(tmp_path, text)

    assert found == ["1:12: the character '\\x07' is not allowed in YAML"]


def test_problems_of_the_system_file_are_told_with_those_of_the_scenario(tmp_path):
    system = changed(SYSTEM, "open_for: 30s", "open_for: 30")
    text = changed(SCENARIO, "baseline: 20s", "baseline: 20")

    found = scenario_problems(tmp_path, text, system=system)

    assert found == [
        "18:11: baseline: expected a duration such as '800ms' or '20s', got 20; 20 what?",
        (
            "small.system.yaml:17:15: breakers.api-server.open_for: expected a duration such as "
            "'800ms' or '20s', got 30; 30 what?"
        ),
    ]


def test_names_are_not_doubted_while_the_system_cannot_be_read(tmp_path):
    text = changed(SCENARIO, "link: api -> db", "link: api -> nobody")

    found = scenario_problems(tmp_path, text, system="services: 5\n")

    assert [problem for problem in found if "nobody" in problem] == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: expected a scenario with 'claim', 'system', 'load' ..., got an empty file"),
        ("# only a comment\n", "expected a scenario with 'claim', 'system', 'load' ..., got"),
        ("- a\n- b\n", "1:1: expected a scenario with 'claim', 'system', 'load' ..., got a list"),
        ("just a text", "1:1: expected a scenario with 'claim', 'system', 'load' ..., got 'just"),
    ],
)
def test_a_file_of_another_shape_is_one_problem(text, problem, tmp_path):
    [found] = scenario_problems(tmp_path, text)

    assert problem in found


def test_a_file_nested_too_deep_is_a_problem(tmp_path):
    text = changed(SCENARIO, "tags: [api]", f"tags: {'[' * 50}{']' * 50}")

    found = scenario_problems(tmp_path, text)

    assert found == ["4:26: nested deeper than 20 levels"]

"""Nodes: YAML 1.2, with positions, and never an exception for what a file holds."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st

from fault_injectors.catalogue import FAULTS
from harness.model.errors import FileProblems
from harness.scenario_files import SystemFiles, read_scenario, read_system
from harness.scenario_files.problems import Problems
from harness.scenario_files.yaml_nodes import ListNode, MapNode, Scalar, read_node
from tests.scenario_files.small_catalogue import CHECKS
from tests.scenario_files.texts import SCENARIO, SYSTEM


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("scenarios")
    (path / "small.system.yaml").write_text(SYSTEM, encoding="utf-8")
    return path


def value_of(text: str) -> object:
    node = read_node(text, Problems(Path("any.yaml")))
    assert isinstance(node, Scalar)
    return node.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("yes", "yes"),  # as in YAML 1.1, Norway's NO would be false
        ("NO", "NO"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("0x10", "0x10"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("-.inf", float("-inf")),
        ("20s", "20s"),
    ],
)
def test_plain_scalars_mean_what_the_core_schema_says(text, value):
    found = value_of(text)

    assert found == value
    assert type(found) is type(value)


def test_nodes_know_where_they_stand():
    node = read_node("a: 1\nb:\n  - c: [x, y]\n", Problems(Path("any.yaml")))

    assert isinstance(node, MapNode)
    items = node.get("b")
    assert isinstance(items, ListNode)
    [inner] = items.items
    assert isinstance(inner, MapNode)
    letters = inner.get("c")
    assert isinstance(letters, ListNode)
    places = [(letter.line, letter.column) for letter in letters.items]
    assert (items.line, items.column) == (3, 3)
    assert places == [(3, 9), (3, 12)]


def pieces(text: str) -> list[str]:
    """Return the words and marks of a text, to be put together anew."""
    return [piece for line in text.splitlines(keepends=True) for piece in line.split(" ")]


MARKS = [
    *("&a ", "*a", "!!str ", "<<: ", "? ", "- ", ": ", ",", "#", "|", ">", "%", "@"),
    *("{", "}", "[", "]", "'", '"', "\t", "\n", "  ", "---\n", "...\n"),
    *("\\x", '"\\U00110000"', "\x00", "\ud7ff"),
]


def refused_or_read(text: str, folder: Path) -> None:
    """Read a text as a scenario and as a system; only `FileProblems` may come out."""
    with suppress(FileProblems):
        read_scenario(
            text, folder / "any.chaos.yaml", faults=FAULTS, checks=CHECKS, systems=SystemFiles()
        )
    with suppress(FileProblems):
        read_system(text, folder / "any.system.yaml")


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200))
@example(text='"\\U00110000"')
@example(text="[" * 3000)
@example(text="- " * 3000)
@example(text="%YAML 999999999999.1\n---\na: 1")
@example(text="system: 'a\0b'")
@example(text="system: ../../nowhere/at/all.system.yaml")
@example(text=f"baseline: {'9' * 5000}")
@example(text="? [a]\n: b")
@example(text="a: &x [*x]")
@example(text="&a a: *a\n*a : b")
@pytest.mark.slow
def test_any_text_is_read_or_refused_with_problems(text, folder):
    refused_or_read(text, folder)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_scenario_in_disorder_is_read_or_refused_with_problems(data, folder):
    words = pieces(data.draw(st.sampled_from([SCENARIO, SYSTEM])))
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(words) - 1))
        words[index] = data.draw(
            st.sampled_from(MARKS) | st.sampled_from(words) | st.text(max_size=5)
        )

    refused_or_read(" ".join(words), folder)

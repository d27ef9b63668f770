"""The reference says what the parser reads, and its examples can be read."""

import os
import re
from pathlib import Path

import pytest

from fault_injectors.catalogue import FAULTS
from harness.checks.catalogue import CHECKS
from harness.scenario_files import read_scenario, read_system
from harness.scenario_files.reference import TABLES, faults_page, with_tables

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs" / "reference"
PAGE = DOCS / "scenario-files.md"
UPDATE = "UPDATE_REFERENCE"


def require_same(path: Path, text: str) -> None:
    """Demand that a page is `text`, or write it if the caller asked for that."""
    if os.environ.get(UPDATE):
        path.write_text(text, encoding="utf-8")
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    assert found == text, f"{path.name} is out of date; run this test with {UPDATE}=1"


def test_the_tables_of_the_page_are_those_of_the_parser():
    require_same(PAGE, with_tables(PAGE.read_text(encoding="utf-8")))


def test_the_page_of_faults_says_what_the_faults_say():
    require_same(DOCS / "faults.md", faults_page(FAULTS))


def test_every_table_stands_on_the_page():
    marked = re.findall(r"<!-- keys: (\w+) -->", PAGE.read_text(encoding="utf-8"))

    assert sorted(marked) == sorted(TABLES)


def test_a_mark_without_a_table_is_refused():
    with pytest.raises(KeyError, match="laod"):
        with_tables("<!-- keys: laod -->\n<!-- end -->")


def examples(kind: str) -> list[str]:
    """Return the YAML blocks of a kind on the page."""
    return re.findall(rf"```yaml {kind}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_example_of_a_scenario_can_be_read():
    [text] = examples("scenario")

    scenario = read_scenario(
        text, ROOT / "scenarios" / "example.chaos.yaml", faults=FAULTS, checks=CHECKS
    )

    assert scenario.system.name == "shadow_atlas"


def test_the_example_of_a_system_can_be_read():
    [text] = examples("system")

    assert read_system(text, Path("example.system.yaml")).service("db").max_connections == 40


def test_the_messages_on_the_page_are_those_of_the_parser():
    cases = (Path(__file__).parent / "broken_scenarios.cases").read_text(encoding="utf-8")
    [block] = re.findall(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    for line in block.strip().split("\n"):
        _, _, _, message = line.split(":", maxsplit=3)
        assert f"{message}\n" in cases

"""The Python of the how-to pages runs, and says what it shows."""

import doctest

import pytest

from tests.runs.conftest import ROOT

PAGES = sorted((ROOT / "docs" / "how-to").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_of_a_how_to_page_hold(page):
    failed, _tried = doctest.testfile(str(page), module_relative=False)

    assert failed == 0


def test_the_roll_out_shows_the_presets_that_there_are():
    text = (ROOT / "docs" / "how-to" / "roll-out-and-tune.md").read_text()
    reference = (ROOT / "docs" / "reference" / "services.md").read_text()
    rows = reference.split("\n### Presets\n")[1].split("\n## ")[0].splitlines()
    names = [row.split("`")[1] for row in rows if row.startswith("| `")]

    assert len(names) == 10
    assert [name for name in names if f"`{name}`" not in text] == []

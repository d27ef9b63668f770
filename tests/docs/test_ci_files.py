"""The files for users' CI call targets that exist and collect what those write."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FILES = [ROOT / ".github" / "workflows" / "chaos.yml", ROOT / ".gitlab-ci.yml"]
MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_ci_file_calls_targets_of_the_makefile(path):
    text = path.read_text()
    called = set(re.findall(r"make ([a-z-]+)$", text, re.MULTILINE))
    called |= set(re.findall(r"target: ([a-z-]+)", text))

    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))

    assert YAML(typ="safe").load(text)
    assert {"setup", "test", "chaos"} <= called
    assert called <= targets


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_ci_file_keeps_folders_that_the_makefile_writes(path):
    folders = set(re.findall(r"reports/[a-z]+", path.read_text()))

    assert "reports/latest" in folders
    assert folders <= set(re.findall(r"reports/[a-z]+", MAKEFILE))

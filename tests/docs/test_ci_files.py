"""The files for users' CI call targets that exist and collect what those write."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from fault_injectors.toxiproxy import ProxyKind
from harness.command_line.keywords import matches
from harness.composition import load
from harness.environments.compose.requirements import offered
from harness.model.fault import Capability

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


def test_the_ci_stage_runs_a_fault_of_each_family_in_containers():
    [expression] = re.findall(r"^FAMILIES := ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    chosen = [
        one
        for one in load(sorted((ROOT / "scenarios").glob("*.chaos.yaml")))
        if matches(expression.replace("\\\n", " "), [one.name, *one.tags])
    ]

    needed = {need for one in chosen for entry in one.timeline for need in entry.fault.needs}
    left_to_contract_tests = {
        Capability.NETWORK_SHARE,
        Capability.ATTACHMENT,
        Capability.PACKET,
    }

    assert 6 <= len(chosen) <= 15
    assert offered(ProxyKind.EMBEDDED) - needed == left_to_contract_tests
    assert "make chaos-docker-families" in (ROOT / ".ci" / "run").read_text()

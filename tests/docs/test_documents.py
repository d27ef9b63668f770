"""Documents are executed: commands run, scenarios parse, links lead somewhere."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from fault_injectors.catalogue import FAULTS
from harness.checks import CHECKS
from harness.scenario_files import read_scenario
from tests.runs.conftest import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TUTORIALS = sorted((ROOT / "docs" / "tutorial").glob("*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SAVE = re.compile(r"(Save this as|Add to)\s+`([^`]+)`:")
# Commands that the CI stage itself runs, each longer than a test may be.
RUN_BY_CI = ("make ",)


def blocks(kind: str, *, without_tutorials: bool = False) -> list:
    found = []
    for document in DOCUMENTS:
        if without_tutorials and document in TUTORIALS:
            continue
        for number, match in enumerate(FENCE.finditer(document.read_text()), start=1):
            if match[1] == kind:
                name = f"{document.relative_to(ROOT)}-{number}"
                found.append(pytest.param(match[2], id=name))
    return found


def masked(text: str) -> list[str]:
    """Return the lines of an output without what differs from run to run.

    That are figures and padding, and whether an operation had ended when a phase was told of.
    """
    figures = re.compile(r"\d+(\.\d+)?( ?(ms|s|m)\b)?")
    ended = re.compile(r", # operations?, # not ok")
    return [
        re.sub(r"\s+", " ", ended.sub("", figures.sub("#", line))).strip()
        for line in text.strip().splitlines()
    ]


def commands_of(block: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with what the document shows below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        if not command.startswith(RUN_BY_CI):
            yield command, shown


def assert_does(words: list[str], shown: str, folder: Path) -> None:
    """Run a command; every line shown must appear in the output, in that order."""
    assert words[0] == "atlas-chaos", f"only our own command is run here: {words}"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "harness.cli", *words[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = iter(masked(done.stdout + done.stderr))
    missing = [line for line in masked(shown) if line and line not in said]
    assert missing == [], done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks("console", without_tutorials=True))
def test_console_blocks_do_what_they_show(block, tmp_path):
    for command, shown in commands_of(block):
        words = shlex.split(command.replace("reports/", f"{tmp_path}/"))
        if words[1] == "run" and "--report-dir" not in words:
            words += ["--report-dir", str(tmp_path / "reports")]
        assert_does(words, shown, ROOT)


@pytest.mark.slow
@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.name)
def test_a_tutorial_does_what_it_shows_from_its_first_block_to_its_last(tutorial, tmp_path):
    """Follow a tutorial in one folder: files are saved and added to, commands run, in order."""
    for name in ("scenarios", "monitoring"):
        shutil.copytree(ROOT / name, tmp_path / name)
    text = tutorial.read_text()

    for match in FENCE.finditer(text):
        if match[1] == "console":
            for command, shown in commands_of(match[2]):
                assert_does(shlex.split(command), shown, tmp_path)
        if match[1] == "yaml":
            how, path = SAVE.findall(text[: match.start()])[-1]
            with (tmp_path / path).open("w" if how == "Save this as" else "a") as file:
                file.write(match[2])


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.name)
def test_six_commands_lead_from_a_clone_to_a_first_verdict_of_ones_own(tutorial):
    text = tutorial.read_text()
    path = SAVE.search(text)[2]
    until = text[: text.index(f"$ atlas-chaos run {path}")]

    shell = [
        line
        for kind, block in FENCE.findall(until)
        if kind == "sh"
        for line in block.split("\n")
        if line
    ]
    ours = re.findall(r"^\$ (atlas-chaos run .*)$", until, re.MULTILINE)
    needed = [*shell, *ours, f"atlas-chaos run {path}"]

    assert len(needed) <= 6, needed


@pytest.mark.parametrize("block", blocks("yaml"))
def test_yaml_blocks_that_are_scenarios_can_be_read(block, tmp_path):
    document = YAML(typ="safe").load(block)
    if not isinstance(document, dict) or "claim" not in document:
        return  # a fragment; the reference pages hold those to the parser themselves
    for system in (ROOT / "scenarios").glob("*.system.yaml"):
        (tmp_path / system.name).write_text(system.read_text())

    scenario = read_scenario(block, tmp_path / "shown.chaos.yaml", faults=FAULTS, checks=CHECKS)

    assert scenario.checks


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(document):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())

    missing = [target for target in targets if not (document.parent / target).exists()]

    assert missing == []


def test_the_readme_names_two_commands_that_the_makefile_has():
    readme, makefile = (ROOT / "README.md").read_text(), (ROOT / "Makefile").read_text()

    for target in ("chaos", "test"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_readme_fits_and_names_every_command():
    readme = (ROOT / "README.md").read_text()

    assert len(readme.splitlines()) <= 120
    for command in ("run", "list", "validate", "plan", "judge", "clean", "doctor"):
        assert f"`atlas-chaos {command}" in readme or f"`{command}`" in readme


def test_every_fault_and_check_has_a_reference_entry():
    faults = (ROOT / "docs" / "reference" / "faults.md").read_text()
    checks = (ROOT / "docs" / "reference" / "checks.md").read_text()

    assert [one.name for one in FAULTS if f"`{one.name}`" not in faults] == []
    assert [one.name for one in CHECKS if f"`{one.name}`" not in checks] == []

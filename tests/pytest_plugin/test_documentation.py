"""The page for users names every option and hook that there is."""

import re
from pathlib import Path

import pytest

import atlas_chaos_pytest
from harness.model.run import DEFAULT_TIME_SCALES
from harness.pytest_support.choices import DEFAULT_FOLDER, DEFAULT_SEED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "run-under-pytest.md"


def test_every_option_is_documented_and_no_other():
    documented = set(re.findall(r"^\| `--chaos-([a-z-]+)", PAGE.read_text(), re.MULTILINE))

    assert documented == {name for name, _ in atlas_chaos_pytest._OPTIONS}


@pytest.mark.parametrize("default", [DEFAULT_SEED, *DEFAULT_TIME_SCALES.values(), DEFAULT_FOLDER])
def test_documented_defaults_are_the_real_ones(default):
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `--chaos-")]

    assert any(str(default) in row.split("|")[2] for row in rows)


def test_every_hook_is_documented():
    hooks = {name for name in vars(atlas_chaos_pytest.ChaosHooks) if name.startswith("pytest_")}

    assert hooks == set(re.findall(r"^\| `(pytest_chaos_\w+)", PAGE.read_text(), re.MULTILINE))

"""The reference page says what the code does."""

import doctest
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import fault_injectors.toxiproxy as driver
from fault_injectors.proxy import parse_settings
from fault_injectors.toxics import BEHAVIOURS, Behaviour, Effect
from fault_injectors.toxiproxy import ProxyError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "toxics.md"


def test_its_example_runs():
    failed, attempted = doctest.testfile(str(PAGE), module_relative=False)

    assert (failed, attempted > 5) == (0, True)


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=lambda each: each.toxic_type)
def test_every_type_has_its_row_with_fields_and_attributes(behaviour: type[Behaviour]):
    assert is_dataclass(behaviour)
    names = ", ".join(each.name for each in fields(behaviour))
    row, *_ = re.findall(rf"^\| `{behaviour.toxic_type}` \|.*$", PAGE.read_text(), re.MULTILINE)

    assert f"`{behaviour.__name__}({names})`" in row
    assert all(f"`{name}`" in row for name in behaviour.attribute_names)


def test_every_effect_is_told():
    [row] = re.findall(r"^\| `toxic_effect` \|.*$", PAGE.read_text(), re.MULTILINE)

    assert all(effect.value in row for effect in Effect)


def test_every_flag_is_told(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        parse_settings(["--help"], {})

    flags = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert flags == set(re.findall(r"^\| `(--[a-z-]+)`", PAGE.read_text(), re.MULTILINE))


def test_every_error_is_told():
    errors = {
        name
        for name, value in vars(driver).items()
        if isinstance(value, type) and issubclass(value, ProxyError)
    }

    assert all(f"`{name}`" in PAGE.read_text() for name in errors)

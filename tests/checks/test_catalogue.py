"""Every check is described completely, in the code and in the reference."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import harness.checks
from harness.checks import CHECKS
from harness.model.check import Check
from harness.model.fields import Field, Kind, fields_of, scale_fields
from tests.checks.histories import API_DB

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "checks.md"

A_VALUE: dict[Kind, Any] = {
    Kind.DURATION: 8.0,
    Kind.RATE: 8.0,
    Kind.RATIO: 0.5,
    Kind.COUNT: 3,
    Kind.LINK: API_DB,
}


def table(check: type[Any]) -> str:
    """Return the table of a check's fields, as the reference shows it."""
    rows = ["| key | kind | default | |", "|---|---|---|---|", *map(_row, fields_of(check))]
    return "\n".join(rows)


def _row(item: Field) -> str:
    real = item.kind is Kind.DURATION and not item.is_scaled
    kind = f"{item.kind}, real" if real else f"{item.kind}"
    if item.choices:
        kind += f": {', '.join(item.choices)}"
    return f"| `{item.key}` | {kind} | {_default(item)} | {item.doc} |"


def _default(item: Field) -> str:
    if item.required:
        return "required"
    if item.default is None:
        return ""
    if item.kind is Kind.DURATION:
        return f"{item.default:g}s"
    if isinstance(item.default, tuple):
        return f"[{', '.join(item.default)}]"
    return str(item.default).lower() if isinstance(item.default, bool) else f"{item.default}"


def section(check: type[Check]) -> str:
    found = re.search(
        rf"^## `{check.name}`$(.*?)(?=^## )", REFERENCE.read_text(), re.DOTALL | re.MULTILINE
    )
    assert found, f"docs/reference/checks.md has no section for {check.name}"
    return found[1]


def a_check(check: type[Any]) -> Any:
    values = {
        item.attribute: (item.choices[0],)
        if item.kind is Kind.CHOICES
        else A_VALUE.get(item.kind, item.choices[0] if item.choices else "x")
        for item in fields_of(check)
        if item.required
    }
    extra = {
        "success_ratio": {"at_least_ratio": 0.5},
        "latency": {"at_most_s": 8.0, "at_least_s": 4.0},
        "probe_value": {"equals": "0"},
        "breaker_transitions": {"stays_open_s": 8.0},
    }
    return check(**values, **extra.get(check.name, {}))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_field_of_a_check_is_described(check):
    described = {item.attribute for item in fields_of(check)}

    assert described == {item.name for item in dataclasses.fields(check)}
    for item in fields_of(check):
        assert item.doc[0].islower() or item.doc.startswith("HTTP"), item.key
        assert not item.doc.endswith("."), item.key


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_is_a_frozen_value_with_a_name_and_a_summary(check):
    value = a_check(check)

    assert isinstance(value, Check)
    assert value == a_check(check)
    assert hash(value) == hash(a_check(check))
    assert re.fullmatch(r"[a-z_]+", value.name)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, fields_of(check)[0].attribute, None)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_reference_has_an_entry_for_every_check_and_field(check):
    text = section(check)

    assert f"{check.summary[0].upper()}{check.summary[1:]}." in text
    assert table(check) in text
    for verdict in ("PASSED", "FAILED", "INCONCLUSIVE"):
        assert f"**{verdict}**" in text


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_example_of_the_reference_names_fields_that_exist(check):
    block = re.search(r"```yaml\n(.*?)```", section(check), re.DOTALL)
    assert block
    (entry,) = YAML(typ="safe").load(block[1])["checks"]

    ((name, written),) = entry.items()

    assert name == check.name
    known = {item.key: item for item in fields_of(check)}
    assert set(written) <= set(known)
    assert {key for key, item in known.items() if item.required} <= set(written)
    texts = {key for key in written if known[key].kind is Kind.TEXT}
    assert all(isinstance(written[key], str) for key in texts)  # a bare number is no text


def test_the_reference_has_no_entry_for_a_check_that_does_not_exist():
    headings = re.findall(r"^## `(.*)`$", REFERENCE.read_text(), re.MULTILINE)

    assert headings == [check.name for check in CHECKS]


def test_names_are_unique():
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_latency_limits_stay_real_and_injected_delays_scale():
    latency = next(check for check in CHECKS if check.name == "latency")

    scaled = scale_fields(a_check(latency), 0.25)

    assert (scaled.at_most_s, scaled.at_least_s) == (8.0, 1.0)


def test_a_rate_limit_scales_so_that_counts_stay():
    limit = next(check for check in CHECKS if check.name == "rate_limit")

    scaled = scale_fields(a_check(limit), 0.25)

    assert (scaled.refill_per_s, scaled.capacity) == (32.0, 3)


def test_the_package_exports_what_the_runner_uses():
    assert set(harness.checks.__all__) == {
        "CHECKS",
        "Judgement",
        "SteadyAnswer",
        "evidence_findings",
        "is_steady",
        "judge",
        "settled",
        "steady_loads",
    }

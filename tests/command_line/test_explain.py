"""`explain` knows every word that files and reports use, with examples that can be read."""

import json
from pathlib import Path

import pytest

from fault_injectors.catalogue import FAULTS
from harness.checks import CHECKS
from harness.command_line.examples import CHECK_EXAMPLES, FAULT_EXAMPLES
from harness.command_line.exit_codes import Done, ExitCode
from harness.command_line.explain_command import explain
from harness.command_line.meanings import EVIDENCE, EXIT_CODES, VERDICTS
from harness.command_line.schema_command import show_schema
from harness.model.fields import fields_of
from harness.model.verdict import Verdict
from harness.scenario_files import read_scenario
from tests.runs.conftest import ROOT
from tests.scenario_files.schema_subset import conforms

NAMES = [*FAULT_EXAMPLES, *CHECK_EXAMPLES, *EVIDENCE, *VERDICTS, *map(int, EXIT_CODES)]
SCENARIO = """
claim: an example
system: shadow_atlas
load:
  lookups: {{service: api, request: GET /v1/health, rate: 10/s}}
  others: {{service: batch, request: GET /v1/health, rate: 10/s}}
probes: {{health: {{service: api, path: /v1/health, every: 1s}}}}
baseline: 20s
timeline: [{fault}]
settle: {{at_most: 300s, hold: 10s}}
checks: [{{{check}: {fields}}}]
"""
ALERTS = "alerts: {rules: ../monitoring/alerts.template.yml, scrape: [api], every: 5s}\n"


def read(
    *, fault: str = FAULT_EXAMPLES["down"], check: str = "success_ratio", fields: str | None = None
):
    text = SCENARIO.format(fault=fault, check=check, fields=fields or CHECK_EXAMPLES[check])
    text += ALERTS if check == "alert" else ""
    path = ROOT / "scenarios" / "example.chaos.yaml"
    return read_scenario(text, path, faults=FAULTS, checks=CHECKS)


def test_every_fault_and_check_has_an_example():
    assert list(FAULT_EXAMPLES) == [fault.name for fault in FAULTS]
    assert list(CHECK_EXAMPLES) == [check.name for check in CHECKS]


@pytest.mark.parametrize("name", FAULT_EXAMPLES)
def test_the_example_of_a_fault_is_one_of_that_fault(name):
    [entry] = read(fault=FAULT_EXAMPLES[name]).timeline

    assert entry.fault.name == name


@pytest.mark.parametrize("name", CHECK_EXAMPLES)
def test_the_example_of_a_check_is_one_of_that_check(name):
    [check] = read(check=name).checks

    assert check.name == name


def test_every_verdict_and_exit_code_has_a_meaning():
    assert set(VERDICTS) == set(Verdict)
    assert set(EXIT_CODES) == set(ExitCode)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_explained(name, capsys):
    explain([str(name)])

    assert str(name) in capsys.readouterr().out


@pytest.mark.parametrize("described", [*FAULTS, *CHECKS], ids=lambda one: one.name)
@pytest.mark.parametrize("columns", ["72", "100"])
def test_all_fields_are_told_within_the_width(described, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)

    explain([described.name])

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= int(columns)
    for item in fields_of(described):
        assert any(line.startswith(f"  {item.key} ") for line in lines)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.name)
def test_a_fault_tells_what_clients_see_and_how_it_heals_and_where_it_works(fault, capsys):
    explain([fault.name])

    told = capsys.readouterr().out
    for words in ("Clients see", "Heals", "Cannot imitate", "Don't", "processes, embedded"):
        assert words in told


def test_a_fault_and_a_check_of_one_name_are_both_told(capsys):
    explain(["latency"])

    told = capsys.readouterr().out
    assert "fault latency" in told
    assert "check latency" in told


def test_the_shown_example_can_be_pasted(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")  # narrow, so that it is broken into several lines

    explain(["down"])

    told = capsys.readouterr().out
    example = told.partition("timeline:\n")[2].partition("\n\n")[0]
    [entry] = read(fault=example.strip().removeprefix("- ")).timeline
    assert entry.fault.name == "down"


def test_without_a_name_all_are_listed(capsys):
    explain([])

    told = capsys.readouterr().out
    assert [str(name) for name in NAMES if f"  {name} " not in told] == []


def test_an_unknown_name_is_refused_with_the_nearest(capsys):
    with pytest.raises(Done) as ended:
        explain(["latency", "latncy"])

    said = capsys.readouterr()
    assert ended.value.code is ExitCode.USAGE
    assert "nothing is called 'latncy'; did you mean 'latency'?" in said.err
    assert said.out == ""


@pytest.mark.parametrize("kind", ["scenario", "system"])
def test_a_schema_is_json_and_can_be_written(kind, tmp_path: Path, capsys):
    show_schema(kind, None)
    printed = json.loads(capsys.readouterr().out)
    show_schema(kind, tmp_path / "deep" / "file.json")

    assert json.loads((tmp_path / "deep" / "file.json").read_text()) == printed
    assert "# yaml-language-server: $schema=file.json" in capsys.readouterr().out


def test_the_printed_schema_holds_the_catalogues(capsys):
    show_schema("scenario", None)
    schema = json.loads(capsys.readouterr().out)
    wrong = {"claim": "x", "system": "y", "load": {}, "baseline": "1s", "settle": {}, "checks": [1]}

    assert not conforms(wrong, schema)
    assert "upstream_response" in json.dumps(schema)


def test_a_schema_of_something_else_is_refused(capsys):
    with pytest.raises(Done) as ended:
        show_schema("history", None)

    assert ended.value.code is ExitCode.USAGE
    assert "expected one of scenario, system" in capsys.readouterr().err

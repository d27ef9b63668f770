"""The reference of events says what the harness reads, and real events conform to it."""

import json
import os
from pathlib import Path

import pytest

from harness.model import proxy_records, run_records
from harness.model.event_schema import (
    SERVICE_KINDS,
    WORDS,
    event_json_schema,
    fields_of_event,
    problem_with,
)
from harness.model.records import KINDS
from tests.foreign.event_reference import PAGE, SCHEMA, kinds_on, with_tables

FROM_BOTH = {"process", "lag"}  # services and harness tell these


def require_same(path: Path, text: str) -> None:
    """Demand that a page is `text`, or write it if the caller asked for that."""
    if os.environ.get("UPDATE_REFERENCE"):
        path.write_text(text, encoding="utf-8")
    found = path.read_text(encoding="utf-8") if path.exists() else ""
    assert found == text, f"{path.name} is out of date; run this test with UPDATE_REFERENCE=1"


def test_tables_are_made_from_the_records():
    require_same(PAGE, with_tables(PAGE.read_text(encoding="utf-8")))


def test_json_schema_is_made_from_the_records():
    require_same(SCHEMA, json.dumps(event_json_schema(), indent=2) + "\n")


def test_every_kind_that_a_service_may_write_has_a_section():
    page = PAGE.read_text(encoding="utf-8")

    assert kinds_on(page) == list(SERVICE_KINDS)
    assert all(f"### `{kind}`\n" in page for kind in SERVICE_KINDS)


def test_kinds_of_services_are_all_but_those_of_harness_and_proxy():
    of_proxy = {kind for kind, cls in KINDS.items() if cls.__module__ == proxy_records.__name__}
    of_run = {kind for kind, cls in KINDS.items() if cls.__module__ == run_records.__name__}

    assert set(SERVICE_KINDS) == (set(KINDS) - of_proxy - of_run) | FROM_BOTH


def test_words_belong_to_fields_that_exist():
    known = {(kind, each.name) for kind in SERVICE_KINDS for each in fields_of_event(kind)}

    assert set(WORDS) <= known


@pytest.mark.parametrize("kind", SERVICE_KINDS)
def test_schema_and_reader_refuse_the_same(kind):
    [branch] = [each for each in event_json_schema()["allOf"] if each["then"]["title"] == kind]
    fields = fields_of_event(kind)
    sound = {"kind": kind, **{each.name: value_for(each.terms, each.words) for each in fields}}

    assert problem_with(sound) == ""
    for name in branch["then"]["required"]:
        assert name in problem_with({key: sound[key] for key in sound if key != name})
    for each in fields:
        spoiled = problem_with({**sound, each.name: []})
        assert spoiled.startswith(f"{each.name}: expected")


def value_for(terms, words):
    values = {"integer": 1, "number": 0.5, "string": "x", "boolean": True, "null": None}
    return words[0] if words else values[terms[0]]

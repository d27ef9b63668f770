"""The reference of the history says what the records are: kind by kind, field by field."""

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.load.lateness import NOTE_NAME, LoadNote
from harness.model.records import KINDS, Note, Outcome, Record
from harness.observation.event_stream import EventStream
from harness.observation.recorder import SCHEMA_NOTE

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "history.md"

JSON_TERMS: dict[Any, str] = {
    int: "integer",
    str: "string",
    float: "number",
    bool: "boolean",
    type(None): "null",
    Any: "any value",
    Mapping[str, Any]: "object",
}


@pytest.fixture(scope="module")
def text() -> str:
    return REFERENCE.read_text()


def json_type(annotation: Any) -> str:
    if isinstance(annotation, types.UnionType):
        return " or ".join(JSON_TERMS[part] for part in typing.get_args(annotation))
    return JSON_TERMS[annotation]


def section(text: str, kind: str) -> str:
    return text.partition(f"\n### `{kind}`\n")[2].partition("\n#")[0]


def test_kinds_stand_in_the_order_of_the_model(text: str):
    assert re.findall(r"^### `(\w+)`$", text, re.MULTILINE) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_table_of_a_kind_has_its_fields_and_types(text: str, kind: str):
    documented = re.findall(
        r"^\| `(\w+)` \| ([a-z ]+) \| (.*) \|$", section(text, kind), re.MULTILINE
    )

    described = [(item.name, json_type(item.type)) for item in dataclasses.fields(KINDS[kind])]
    assert [(name, type_) for name, type_, _ in documented] == described
    assert all(meaning.endswith(".") for _, _, meaning in documented)


@pytest.mark.parametrize("kind", KINDS)
def test_section_of_a_kind_opens_with_the_sentence_of_the_model(text: str, kind: str):
    assert section(text, kind).strip().splitlines()[0] == str(KINDS[kind].__doc__).splitlines()[0]


def test_every_outcome_is_explained(text: str):
    table = text.partition("## The outcome of an operation")[2].partition("## Kinds")[0]

    assert set(re.findall(r"\| ([A-Z]+) \|", table)) == set(Outcome)


def test_notes_of_load_and_recorder_are_listed(text: str):
    notes = text.partition("## Notes")[2]

    assert f"| `{SCHEMA_NOTE}` |" in notes
    assert f"| `{NOTE_NAME}` |" in notes
    assert all(f"`{item.name}`" in notes for item in dataclasses.fields(LoadNote))


def test_sample_line_of_an_event_file_is_an_event(text: str):
    sample = text.partition("```json\n")[2].partition("\n```")[0]

    found: list[Record] = EventStream(service="api", incarnation="1", t0_ns=0).take(sample.encode())

    assert [record.kind for record in found] == ["clock"]


def test_closing_note_of_the_load_is_a_note():
    note = LoadNote(planned=3, offered=2, ended=2, late=0).to_note(7)

    assert isinstance(note, Note)
    assert (note.t_ns, note.value["planned"], note.value["late_bound_s"]) == (7, 3, 0.05)

"""What a service in any language has to write: the schema of event records.

The records of `harness.model` give kinds, fields and types; the words that a text may be stand
here. A line that breaks the schema is no event, so its place in the history is a gap.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from harness.model.records import KINDS
from harness.model.run_records import Source

SCHEMA = 1
"""The version that clock records name."""

SERVICE_KINDS = (
    "clock",
    "process",
    "request",
    "attempt",
    "breaker",
    "bulkhead",
    "limiter",
    "retry_exhausted",
    "fallback",
    "work_item",
    "boundary_refresh",
    "chaos",
    "received",
    "lag",
)
"""What a service or a stand-in may say, in the order of the reference."""

_STATES = ("closed", "open", "half_open")
WORDS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("process", "what"): ("started", "ready", "stopping", "stopped"),
    ("request", "source"): tuple(map(str, Source)),
    ("request", "rejected_by"): ("breaker", "bulkhead", "limiter"),
    ("attempt", "outcome"): ("ok", "failed", "abandoned"),
    ("breaker", "from_state"): _STATES,
    ("breaker", "to_state"): _STATES,
    ("bulkhead", "decision"): ("admitted", "queued", "rejected", "timed_out", "released"),
    ("limiter", "decision"): ("allowed", "rejected"),
    ("fallback", "source"): tuple(map(str, Source)),
    ("boundary_refresh", "what"): ("started", "replaced", "failed"),
    ("work_item", "what"): (
        "accepted",
        "started",
        "finished",
        "requeued",
        "degraded",
        "failed",
        "skipped",
    ),
}
"""The words that a text may be, by kind and field."""

_ENVELOPE = ("t_ns", "seq", "service", "incarnation")
_TERMS: Mapping[type, str] = {int: "integer", float: "number", str: "string", bool: "boolean"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class EventField:
    """One field of an event beside the envelope.

    Args:
        name: Its name.
        terms: What it may hold, in the words of JSON Schema, e.g. `integer` and `null`.
        words: The texts that it may be; empty: any.
        is_required: Whether an event without it is none.
    """

    name: str
    terms: tuple[str, ...]
    words: tuple[str, ...] = ()
    is_required: bool = True

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema."""
        if self.words:
            return {"enum": [*self.words, *((None,) if "null" in self.terms else ())]}
        return {"type": self.terms[0] if len(self.terms) == 1 else list(self.terms)}

    def problem(self, value: Any) -> str:
        """Return what is wrong with a value; empty if nothing is."""
        if term_of(value) not in self.terms and not (
            term_of(value) == "integer" and "number" in self.terms
        ):
            return f"{self.name}: expected {' or '.join(self.terms)}, got {value!r}"
        if self.words and value is not None and value not in self.words:
            return f"{self.name}: expected one of {', '.join(self.words)}, got {value!r}"
        return ""


def term_of(value: Any) -> str:
    """Return the type of a decoded value in the words of JSON Schema.

    >>> [term_of(value) for value in (1, 1.5, True, None, "x", {})]
    ['integer', 'number', 'boolean', 'null', 'string', 'object']
    """
    if value is None:
        return "null"
    if isinstance(value, list):
        return "array"
    return _TERMS.get(type(value), "object")


def fields_of_event(kind: str) -> tuple[EventField, ...]:
    """Return the fields of a kind without those of the envelope, in the order of its record."""
    found = []
    for item in dataclasses.fields(KINDS[kind]):
        if item.name in _ENVELOPE:
            continue
        has_default = item.default is not dataclasses.MISSING
        found.append(
            EventField(
                name=item.name,
                terms=_terms(item.type),
                words=WORDS.get((kind, item.name), ()),
                is_required=not has_default,
            )
        )
    return tuple(found)


def problem_with(values: Mapping[str, Any]) -> str:
    """Return the first thing that is wrong with the fields of an event of a known kind."""
    for each in _FIELDS.get(str(values.get("kind")), ()):
        if each.name in values:
            problem = each.problem(values[each.name])
            if problem:
                return problem
        elif each.is_required:
            return f"{each.name} is missing"
    return ""


def event_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of one line; fields and kinds that it does not name are allowed."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Event of a service, one line of its stream",
        "type": "object",
        "properties": {
            "t_ns": {"type": "integer", "description": "CLOCK_MONOTONIC, nanoseconds"},
            "seq": {"type": "integer", "minimum": 0, "description": "from 0 without gaps"},
            "service": {"type": "string"},
            "incarnation": {"type": "string"},
            "kind": {"type": "string"},
        },
        "required": [*_ENVELOPE, "kind"],
        "allOf": [_branch(kind) for kind in SERVICE_KINDS],
    }


def _branch(kind: str) -> dict[str, Any]:
    fields = fields_of_event(kind)
    first_line = str(KINDS[kind].__doc__).partition("\n")[0]
    properties = {each.name: each.schema() for each in fields}
    if kind == "clock":
        properties = {"schema": {"const": SCHEMA}, **properties}
    return {
        "if": {"properties": {"kind": {"const": kind}}},
        "then": {
            "title": kind,
            "description": first_line,
            "properties": properties,
            "required": [each.name for each in fields if each.is_required],
        },
    }


def _terms(annotation: Any) -> tuple[str, ...]:
    parts = (
        typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    )
    return tuple("null" if part is types.NoneType else _TERMS[part] for part in parts)


_FIELDS = {kind: fields_of_event(kind) for kind in SERVICE_KINDS}

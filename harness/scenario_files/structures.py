"""The forms of nested values: mappings by name, JSON, requests and commands."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.scenario_files.forms import Form, Schema
from harness.scenario_files.keys import Record
from harness.scenario_files.places import UNREADABLE, Place, Unreadable
from harness.scenario_files.problems import either, suggestion
from harness.scenario_files.yaml_nodes import ListNode, MapNode, Node, Scalar

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a mapping by name, as it was read."""

    node: Scalar
    name: Any
    value: Any


def no_review(_entries: Sequence[Entry], _place: Place) -> None:
    """Find nothing wrong with a mapping as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf:
    """A mapping from names to values of one form.

    Args:
        noun: What one value is.
        name: The form of the names.
        form: The form of the values.
        named: The argument of a record's `make` that takes the name; empty: none does.
        review: Notes what no single entry can know.
        minimum_items: How many entries there must be.
    """

    noun: str
    name: Form
    form: Form
    named: str = ""
    review: Callable[[Sequence[Entry], Place], None] = no_review
    minimum_items: int = 1

    @property
    def expected(self) -> str:
        """Return what a file should hold."""
        return f"a mapping from {self.name.expected} to a {self.noun}"

    def read(self, node: Node, place: Place) -> Any:
        """Return the values by name, in the order of the file; `UNREADABLE` if one of them is."""
        if not isinstance(node, MapNode):
            return place.report(node, f"expected {self.expected}, got {node}")
        if len(node.entries) < self.minimum_items:
            return place.report(node, f"expected at least one {self.noun}, got none")
        entries = [self._read_entry(key, value, place) for key, value in node.entries]
        before = len(place.problems.found)
        self.review([entry for entry in entries if not isinstance(entry.name, Unreadable)], place)
        if len(place.problems.found) > before or any(_is_unreadable(entry) for entry in entries):
            return UNREADABLE
        return {entry.name: entry.value for entry in entries}

    def write(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        """Return the mapping."""
        return {self.name.write(name): self.form.write(item) for name, item in value.items()}

    def schema(self) -> Schema:
        """Return a mapping whose names are not known in advance."""
        return {
            "type": "object",
            "propertyNames": self.name.schema(),
            "additionalProperties": self.form.schema(),
            "minProperties": self.minimum_items,
        }

    def _read_entry(self, key: Scalar, node: Node, place: Place) -> Entry:
        name = self.name.read(key, place)
        inner = place.at(key.text, owner=f"{self.noun} '{key.text}'")
        if isinstance(self.form, Record) and self.named:
            value = self.form.read(node, inner, **{self.named: name})
        else:
            value = self.form.read(node, inner)
        return Entry(node=key, name=name, value=value)


def _is_unreadable(entry: Entry) -> bool:
    return isinstance(entry.name, Unreadable) or isinstance(entry.value, Unreadable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Json:
    """Any value that JSON has."""

    expected: str = "a value such as 5, 'text', true, [1, 2] or {key: value}"

    def read(self, node: Node, place: Place) -> Any:
        """Return the value as `json.loads` would; a text that looks like a number is quoted."""
        if isinstance(node, Scalar):
            if isinstance(node.value, float) and not abs(node.value) < float("inf"):
                return place.report(node, f"must be finite, got {node}")
            return node.value
        if isinstance(node, ListNode):
            items = [self.read(item, place) for item in node.items]
            return UNREADABLE if UNREADABLE in items else items
        entries = {key.text: self.read(value, place.at(key.text)) for key, value in node.entries}
        return UNREADABLE if UNREADABLE in entries.values() else entries

    def write(self, value: Any) -> Any:
        """Return the value itself."""
        return value

    def schema(self) -> Schema:
        """Return a schema that allows everything."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP method and a path with its query."""

    method: str = "GET"
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestForm:
    """A request line without the version: `GET /path?query`."""

    methods: Sequence[str] = METHODS
    expected: str = "a request such as 'GET /v1/health'"

    def read(self, node: Node, place: Place) -> Request | Unreadable:
        """Return method and path."""
        if not isinstance(node, Scalar):
            return place.report(node, f"expected {self.expected}, got {node}")
        match = re.fullmatch(r"([A-Za-z]+) (/\S*)", node.text)
        if match is None:
            return place.report(node, f"expected {self.expected}, got {node}")
        if match[1] not in self.methods:
            hint = suggestion(match[1], self.methods)
            return place.report(node, f"expected {either(self.methods)}, got '{match[1]}'{hint}")
        return Request(method=match[1], path=match[2])

    def write(self, value: Request) -> str:
        """Return method and path with a space between them."""
        return f"{value.method} {value.path}"

    def schema(self) -> Schema:
        """Return the pattern of a request."""
        return {"type": "string", "pattern": rf"^({'|'.join(self.methods)}) /\S*$"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program and its arguments, quoted as in a shell, of which nothing else works."""

    expected: str = "a command such as 'python -m package.module'"

    def read(self, node: Node, place: Place) -> tuple[str, ...] | Unreadable:
        """Return program and arguments."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return place.report(node, f"expected {self.expected}, got {node}")
        try:
            words = tuple(shlex.split(node.text))
        except ValueError as error:
            reason = str(error).lower()
            return place.report(node, f"expected {self.expected}, got {node}; {reason}")
        if not words or not words[0]:
            return place.report(node, f"expected {self.expected}, got {node}")
        return words

    def write(self, value: Sequence[str]) -> str:
        """Return the words in one line, quoted where needed."""
        return shlex.join(value)

    def schema(self) -> Schema:
        """Return a text."""
        return {"type": "string", "minLength": 1}

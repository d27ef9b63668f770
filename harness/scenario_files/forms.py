"""The forms that single values take in a file: each is read, written and put into a schema here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.model.fields import Kind
from harness.scenario_files.places import Place, Unreadable
from harness.scenario_files.problems import either, suggestion
from harness.scenario_files.quantities import BYTE_RATE, NOTATIONS, Notation, read_ratio
from harness.scenario_files.yaml_nodes import ListNode, Node, Scalar

Schema = dict[str, Any]


class Form(Protocol):
    """How a value is written; `read` notes every problem and never raises for a file."""

    @property
    def expected(self) -> str:
        """Return what a file should hold, e.g. `a rate such as '50/s'`."""
        ...

    def read(self, node: Node, place: Place) -> Any:
        """Return the value inside, or `UNREADABLE` after noting why."""
        ...

    def write(self, value: Any) -> Any:
        """Return what a file holds for a value inside: texts, numbers, lists and mappings."""
        ...

    def schema(self) -> Schema:
        """Return the JSON Schema of what a file may hold."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number with its unit.

    Args:
        kind: DURATION, RATE, SIZE or RATIO.
        of_bytes: Whether a rate is one of bytes, as in `64KiB/s`.
        minimum: Smallest value inside.
        maximum: Largest value inside.
        above: The value inside must be larger than this.
    """

    kind: Kind
    of_bytes: bool = False
    minimum: float | None = 0.0
    maximum: float | None = None
    above: float | None = None

    @property
    def notation(self) -> Notation:
        """Return how it is written."""
        return BYTE_RATE if self.of_bytes else NOTATIONS[self.kind]

    @property
    def expected(self) -> str:
        """Return what a file should hold."""
        return self.notation.expected

    def read(self, node: Node, place: Place) -> float | Unreadable:
        """Return the value in the inside unit."""
        if not isinstance(node, Scalar):
            return place.report(node, f"expected {self.expected}, got {node}")
        try:
            parse = read_ratio if self.kind is Kind.RATIO else self.notation.read
            value = parse(node.text)
        except ValueError as error:
            reason = f"; {error}" if str(error) else ""
            return place.report(node, f"expected {self.expected}, got {node}{reason}")
        bound = self._broken_bound(value)
        if bound:
            return place.report(node, f"must be {bound}, got {node.text}")
        return value

    def write(self, value: float) -> str:
        """Return the number with its unit."""
        return self.notation.write(value)

    def schema(self) -> Schema:
        """Return a pattern, and a number for ratios."""
        sign = "-?" if self.minimum is not None and self.minimum < 0 else ""
        text: Schema = {"type": "string", "pattern": self.notation.pattern(sign=sign)}
        if self.kind is Kind.RATIO:
            return {"anyOf": [text, {"type": "number", "minimum": 0, "maximum": 1}]}
        return text

    def _broken_bound(self, value: float) -> str:
        maximum = 1.0 if self.kind is Kind.RATIO and self.maximum is None else self.maximum
        if self.above is not None and value <= self.above:
            return f"above {self.write(self.above)}"
        if self.minimum is not None and value < self.minimum:
            return f"at least {self.write(self.minimum)}"
        if maximum is not None and value > maximum:
            return f"at most {self.write(maximum)}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A plain number without a unit, whole or not."""

    is_whole: bool = True
    minimum: float | None = None
    maximum: float | None = None

    @property
    def expected(self) -> str:
        """Return what a file should hold."""
        return "a whole number" if self.is_whole else "a number"

    def read(self, node: Node, place: Place) -> float | Unreadable:
        """Return the number."""
        value = node.value if isinstance(node, Scalar) else None
        allowed = int if self.is_whole else (int, float)
        if not isinstance(value, allowed) or isinstance(value, bool):
            return place.report(node, f"expected {self.expected}, got {node}")
        if not abs(value) < float("inf"):
            return place.report(node, f"must be finite, got {node}")
        if self.minimum is not None and value < self.minimum:
            return place.report(node, f"must be at least {self.minimum:g}, got {node}")
        if self.maximum is not None and value > self.maximum:
            return place.report(node, f"must be at most {self.maximum:g}, got {node}")
        return value if self.is_whole else float(value)

    def write(self, value: float) -> float:
        """Return the number itself."""
        return value

    def schema(self) -> Schema:
        """Return a number with its bounds."""
        bounds = {"minimum": self.minimum, "maximum": self.maximum}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        return {"type": "integer" if self.is_whole else "number", **given}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text; a number or truth value has to be quoted to be one.

    Args:
        pattern: What it must match as a whole; empty: anything but the empty text.
        expected: What a file should hold.
        may_be_empty: Whether the empty text is one.
    """

    pattern: str = ""
    expected: str = "a text"
    may_be_empty: bool = False

    def read(self, node: Node, place: Place) -> str | Unreadable:
        """Return the text."""
        if not isinstance(node, Scalar):
            return place.report(node, f"expected {self.expected}, got {node}")
        if not isinstance(node.value, str):
            hint = "" if node.value is None else f"; write '{node.text}' in quotes"
            return place.report(node, f"expected {self.expected}, got {node}{hint}")
        if not (node.text.strip() or self.may_be_empty):
            return place.report(node, f"expected {self.expected}, got an empty one")
        if self.pattern and not re.fullmatch(self.pattern, node.text):
            return place.report(node, f"expected {self.expected}, got {node}")
        return node.text

    def write(self, value: str) -> str:
        """Return the text itself."""
        return value

    def schema(self) -> Schema:
        """Return a text with its pattern."""
        if self.pattern:
            return {"type": "string", "pattern": f"^{self.pattern}$"}
        return {"type": "string", "minLength": 0 if self.may_be_empty else 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """True or false, in exactly these words: `yes` and `on` are texts in YAML 1.2."""

    expected: str = "true or false"

    def read(self, node: Node, place: Place) -> bool | Unreadable:
        """Return the truth value."""
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        return place.report(node, f"expected {self.expected}, got {node}")

    def write(self, value: bool) -> bool:  # noqa: FBT001 -- the value that is written
        """Return the truth value itself."""
        return value

    def schema(self) -> Schema:
        """Return a truth value."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a few words.

    Args:
        choices: The words.
        build: Turns a word into the value inside.
    """

    choices: Sequence[str]
    build: Any = str

    @property
    def expected(self) -> str:
        """Return what a file should hold."""
        return either(self.choices)

    def read(self, node: Node, place: Place) -> Any:
        """Return the value that the word stands for."""
        if isinstance(node, Scalar) and node.text in self.choices:
            return self.build(node.text)
        hint = suggestion(node.text, self.choices) if isinstance(node, Scalar) else ""
        return place.report(node, f"expected {self.expected}, got {node}{hint}")

    def write(self, value: Any) -> str:
        """Return the word."""
        return str(value)

    def schema(self) -> Schema:
        """Return the words."""
        return {"enum": list(self.choices)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list of values of one form."""

    form: Form
    noun: str = "value"
    minimum_items: int = 1
    example: str = field(default="")

    @property
    def expected(self) -> str:
        """Return what a file should hold."""
        return f"a list such as {self.example}" if self.example else f"a list of {self.noun}s"

    def read(self, node: Node, place: Place) -> Any:
        """Return the values as a tuple; `UNREADABLE` if one of them is."""
        if not isinstance(node, ListNode):
            return place.report(node, f"expected {self.expected}, got {node}")
        if len(node.items) < self.minimum_items:
            return place.report(node, f"expected at least one {self.noun}, got an empty list")
        values = tuple(self.form.read(item, place) for item in node.items)
        unreadable = [value for value in values if isinstance(value, Unreadable)]
        return unreadable[0] if unreadable else values

    def write(self, value: Sequence[Any]) -> list[Any]:
        """Return the list."""
        return [self.form.write(item) for item in value]

    def schema(self) -> Schema:
        """Return a list of the form."""
        return {"type": "array", "items": self.form.schema(), "minItems": self.minimum_items}

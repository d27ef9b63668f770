"""Datasets: lists of rows that operations draw values from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.scenario_files.forms import Form, Schema, Text
from harness.scenario_files.places import UNREADABLE, Place, Unreadable
from harness.scenario_files.structures import MapOf
from harness.scenario_files.yaml_nodes import ListNode, Node

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A list of rows that all have the same fields, whose values are texts.

    Args:
        field: The form of a field's name.
    """

    field: Form
    expected: str = "a list of rows such as {lat: '43.07', lon: '-89.40'}"

    @property
    def row(self) -> MapOf:
        """Return the form of one row."""
        return MapOf(noun="text", name=self.field, form=Text())

    def read(self, node: Node, place: Place) -> tuple[Row, ...] | Unreadable:
        """Return the rows."""
        if not isinstance(node, ListNode) or not node.items:
            return place.report(node, f"expected {self.expected}, got {node}")
        rows = [self.row.read(item, place) for item in node.items]
        read = [row for row in rows if not isinstance(row, Unreadable)]
        if len(read) < len(rows):
            return UNREADABLE
        different = [index for index, row in enumerate(read) if row.keys() != read[0].keys()]
        for index in different:
            got, first = (", ".join(row) for row in (read[index], read[0]))
            place.report(
                node.items[index], f"expected the fields of the first row ({first}), got {got}"
            )
        return UNREADABLE if different else tuple(read)

    def write(self, value: Sequence[Row]) -> list[Any]:
        """Return the rows."""
        return [dict(row) for row in value]

    def schema(self) -> Schema:
        """Return a list of mappings."""
        return {"type": "array", "items": self.row.schema(), "minItems": 1}

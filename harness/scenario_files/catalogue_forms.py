"""The forms of what a catalogue defines: an entry of the timeline (a fault) and a check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from harness.model.check import Check
from harness.model.fault import Fault
from harness.model.fields import Kind
from harness.model.scenario import TimelineEntry
from harness.scenario_files.described_fields import keys_of
from harness.scenario_files.forms import Quantity, Schema
from harness.scenario_files.keys import Key, build, read_keys, schema_of_keys, write_keys
from harness.scenario_files.places import Place
from harness.scenario_files.problems import unknown
from harness.scenario_files.yaml_nodes import MapNode, Node, Scalar

WHEN = (
    Key(
        key="at",
        attribute="at_s",
        form=Quantity(kind=Kind.DURATION),
        doc="when it is injected, since the start of the run",
        required=True,
    ),
    Key(
        key="for",
        attribute="duration_s",
        form=Quantity(kind=Kind.DURATION, above=0.0),
        doc="how long it is in force",
        required=True,
    ),
)


@lru_cache(maxsize=256)  # a process knows a few dozen types; reading their fields costs the most
def _keys(described: type[Any]) -> tuple[Key, ...]:
    return keys_of(described)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultForm:
    """An entry of the timeline: a fault, when it is in force, and its own fields beside them.

    Args:
        faults: The faults that a file may name.
    """

    faults: Sequence[type[Fault]]
    expected: str = "an entry such as {fault: down, link: api -> db, at: 20s, for: 60s}"

    def read(self, node: Node, place: Place) -> Any:
        """Return the entry."""
        if not isinstance(node, MapNode):
            return place.report(node, f"expected {self.expected}, got {node}")
        name = node.get("fault")
        if name is None:
            return place.tell(
                node, f"{place.owner} has an entry without 'fault'; expected {self.expected}"
            )
        if not isinstance(name, Scalar):
            return place.tell(name, f"expected the name of a fault, got {name}")
        by_name = {fault.name: fault for fault in self.faults}
        if name.text not in by_name:
            return place.tell(name, unknown("fault", name.text, list(by_name)))
        return self._read(node, by_name[name.text], place)

    def write(self, value: TimelineEntry) -> dict[str, Any]:
        """Return the mapping of an entry."""
        fields = write_keys(value.fault, _keys(type(value.fault)))
        return {"fault": value.fault.name, **fields, **write_keys(value, WHEN)}

    def schema(self) -> Schema:
        """Return one alternative for each fault."""
        return {"oneOf": [self._schema(fault) for fault in self.faults]}

    def _read(self, node: MapNode, fault: type[Fault], place: Place) -> Any:
        inner = Place(
            problems=place.problems,
            names=place.names,
            label=fault.name,
            owner=f"fault '{fault.name}'",
        )
        reading = read_keys(node, [*_keys(fault), *WHEN], inner, also=["fault"])

        def make(*, at_s: float, duration_s: float, **fields: Any) -> TimelineEntry:
            return TimelineEntry(at_s=at_s, duration_s=duration_s, fault=fault(**fields))

        return build(reading, make, inner)

    def _schema(self, fault: type[Fault]) -> Schema:
        schema = schema_of_keys([*_keys(fault), *WHEN])
        properties = {"fault": {"const": fault.name}, **schema["properties"]}
        return {
            **schema,
            "description": fault.summary,
            "properties": properties,
            "required": ["fault", *schema["required"]],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckForm:
    """A check: its name, and its fields as a mapping behind it.

    Args:
        checks: The checks that a file may name.
    """

    checks: Sequence[type[Check]]
    expected: str = "a check such as 'success_ratio: {load: lookups, at_least: 99%}'"

    def read(self, node: Node, place: Place) -> Any:
        """Return the check; the name alone stands for a check without fields."""
        named = named_check(node)
        if named is None:
            return place.report(node, f"expected {self.expected}, got {node}")
        name, fields = named
        by_name = {check.name: check for check in self.checks}
        if name.text not in by_name:
            return place.tell(name, unknown("check", name.text, list(by_name)))
        inner = Place(
            problems=place.problems,
            names=place.names,
            label=name.text,
            owner=f"check '{name.text}'",
        )
        if not isinstance(fields, MapNode):
            return inner.report(fields, f"expected its fields as a mapping, got {fields}")
        check = by_name[name.text]
        return build(read_keys(fields, _keys(check), inner), check, inner)

    def write(self, value: Check) -> Mapping[str, Any]:
        """Return the mapping from the name to the fields."""
        return {value.name: write_keys(value, _keys(type(value)))}

    def schema(self) -> Schema:
        """Return one alternative for each check, and the names of those without needs."""
        alternatives = [self._schema(check) for check in self.checks]
        bare = [check.name for check in self.checks if not _needs_fields(check)]
        return {"oneOf": [*alternatives, {"enum": bare}] if bare else alternatives}

    def _schema(self, check: type[Check]) -> Schema:
        fields = {"description": check.summary, **schema_of_keys(_keys(check))}
        if not _needs_fields(check):
            fields["type"] = ["object", "null"]
        return {
            "type": "object",
            "properties": {check.name: fields},
            "required": [check.name],
            "additionalProperties": False,
        }


def named_check(node: Node) -> tuple[Scalar, Node] | None:
    """Return the name and the fields of a check, None if the node is not of that shape."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return node, MapNode(line=node.line, column=node.column, entries=())
    if not isinstance(node, MapNode) or len(node.entries) != 1:
        return None
    name, fields = node.entries[0]
    if isinstance(fields, Scalar) and fields.value is None:
        fields = MapNode(line=name.line, column=name.column, entries=())
    return name, fields


def _needs_fields(check: type[Check]) -> bool:
    return any(key.required for key in _keys(check))

"""Records: mappings with known keys, described once for reading, writing and the schema."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.scenario_files.forms import Form, Schema
from harness.scenario_files.places import UNREADABLE, Place, Unreadable
from harness.scenario_files.problems import either, nearest, suggestion
from harness.scenario_files.yaml_nodes import MapNode, Node, Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of a record.

    Args:
        key: The key in the file.
        form: How its value is written.
        doc: One line for the schema and the reference, lower case, no final stop.
        attribute: The argument that takes the value when the record is built.
        required: Whether a file has to give it.
        default: The value inside when it is not given.
        take: How the value is taken from a built record, to write it; None: by `attribute`.
    """

    key: str
    form: Form
    doc: str
    attribute: str
    required: bool = False
    default: Any = None
    take: Callable[[Any], Any] | None = None

    def value_of(self, built: Any) -> Any:
        """Return the value inside of a built record."""
        return self.take(built) if self.take else getattr(built, self.attribute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read of a record.

    Args:
        node: The mapping.
        values: The values inside of what was given and could be read, by attribute.
        is_whole: Whether nothing required is missing and nothing given is unreadable.
    """

    node: MapNode
    values: Mapping[str, Any]
    is_whole: bool

    def node_of(self, key: str) -> Node:
        """Return the value's node of a key, the record's own if it is not given."""
        return self.node.get(key) or self.node


def read_keys(
    node: MapNode, keys: Sequence[Key], place: Place, *, also: Sequence[str] = ()
) -> Reading:
    """Read the values of a record, and note unknown and missing keys.

    Args:
        node: The mapping.
        keys: The keys that it may have.
        place: Where it stands.
        also: Further keys that are read by the caller.
    """
    known = {key.key: key for key in keys}
    values: dict[str, Any] = {}
    meant: set[str] = set()
    is_whole = True
    for name, value_node in node.entries:
        if name.text in also:
            continue
        key = known.get(name.text)
        if key is None:
            meant.add(_tell_unknown(name, [*also, *known], place))
            is_whole = False
            continue
        value = key.form.read(value_node, place.at(key.key))
        if isinstance(value, Unreadable):
            is_whole = False
        else:
            values[key.attribute] = value
    for key in keys:
        if key.required and node.get(key.key) is None:
            is_whole = False
            if key.key not in meant:  # a misspelt key is told once, with its suggestion
                place.tell(node, f"{place.owner} needs '{key.key}': {key.form.expected}")
    return Reading(node=node, values=values, is_whole=is_whole)


def _tell_unknown(name: Scalar, known: Sequence[str], place: Place) -> str:
    """Note an unknown key; return the one that was probably meant, empty if none is near."""
    message = f"{place.owner} has no field '{name.text}'; expected {either(known)}"
    place.tell(name, f"{message}{suggestion(name.text, known)}")
    return nearest(name.text, known)


def build(reading: Reading, make: Callable[..., Any], place: Place, **more: Any) -> Any:
    """Return the value that a record describes, or `UNREADABLE`.

    A `ValueError` of `make` is a problem of the file; if it begins with a key and a colon, it
    stands at that key.
    """
    if not reading.is_whole:
        return UNREADABLE
    try:
        return make(**reading.values, **more)
    except ValueError as error:
        key, colon, rest = str(error).partition(": ")
        if colon and reading.node.get(key) is not None:
            return place.at(key).report(reading.node_of(key), rest)
        return place.tell(reading.node, f"{place.owner}: {error}")


def write_keys(built: Any, keys: Sequence[Key]) -> dict[str, Any]:
    """Return the mapping that a file holds for a built record, without what is default."""
    written: dict[str, Any] = {}
    for key in keys:
        value = key.value_of(built)
        if key.required or value != key.default:
            written[key.key] = key.form.write(value)
    return written


def schema_of_keys(keys: Sequence[Key]) -> Schema:
    """Return the JSON Schema of a record."""
    properties = {key.key: {"description": key.doc, **key.form.schema()} for key in keys}
    required = [key.key for key in keys if key.required]
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A mapping with known keys that describes one value.

    Args:
        keys: The keys.
        make: Builds the value inside from the attributes.
        review: Notes what no single key can know, e.g. two that exclude each other.
        expected: What a file should hold.
    """

    keys: Sequence[Key]
    make: Callable[..., Any]
    expected: str
    review: Callable[[Reading, Place], None] = field(default=lambda _reading, _place: None)

    def read(self, node: Node, place: Place, **more: Any) -> Any:
        """Return the value inside; `more` are arguments that the mapping does not hold."""
        if not isinstance(node, MapNode):
            return place.report(node, f"expected {self.expected}, got {node}")
        reading = read_keys(node, self.keys, place)
        before = len(place.problems.found)
        self.review(reading, place)
        if len(place.problems.found) > before:
            return UNREADABLE
        return build(reading, self.make, place, **more)

    def write(self, value: Any) -> dict[str, Any]:
        """Return the mapping, without what is default."""
        return write_keys(value, self.keys)

    def schema(self) -> Schema:
        """Return the schema of the keys."""
        return schema_of_keys(self.keys)

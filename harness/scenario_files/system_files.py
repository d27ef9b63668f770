"""Read a system file into a `System`."""

from pathlib import Path
from typing import Any

from harness.model.errors import FileProblems
from harness.model.system import Link, ServiceKind, System
from harness.scenario_files.forms import Schema
from harness.scenario_files.keys import read_keys, schema_of_keys
from harness.scenario_files.places import Names, Place
from harness.scenario_files.problems import Problems
from harness.scenario_files.source import read_text
from harness.scenario_files.system_keys import IDENTIFIER, SYSTEM_KEYS
from harness.scenario_files.yaml_nodes import MapNode, Node, Scalar, read_node

SYSTEM_SUFFIX = ".system.yaml"


def load_system(path: Path) -> System:
    """Return the system that a file `<name>.system.yaml` describes.

    Raises:
        FileProblems: With everything that is wrong with the file.
    """
    return read_system(read_text(path), path)


def read_system(text: str, path: Path) -> System:
    """Return the system that `text` describes; `path` gives its name and stands in messages.

    Raises:
        FileProblems: With everything that is wrong.
    """
    problems = Problems(path)
    name = read_name(path, SYSTEM_SUFFIX, problems)
    root = read_node(text, problems)
    if not isinstance(root, MapNode):
        raise not_a_mapping(root, "a system file with 'services'", problems)
    place = Place(problems=problems, names=_names(root), owner="a system file")
    reading = read_keys(root, SYSTEM_KEYS, place)
    _review_clients(root, reading.values, place)
    problems.raise_if_any()
    values = dict(reading.values)
    for key in ("services", "links", "breakers"):
        values[key] = tuple(values.get(key, {}).values())
    return System(name=name, path=path, **values)


def read_name(path: Path, suffix: str, problems: Problems) -> str:
    """Return the name that a file's own name gives it, and note if it is none."""
    name = path.name.removesuffix(suffix)
    if not path.name.endswith(suffix):
        problems.add(0, 0, f"expected a file name that ends in '{suffix}'")
    else:
        place = Place(problems=problems, names=Names(), label="the file's name")
        IDENTIFIER.read(Scalar(line=0, column=0, text=name), place)
    return name


def not_a_mapping(root: Node | None, expected: str, problems: Problems) -> FileProblems:
    """Return the error for a file whose root is no mapping, or whose notation is wrong."""
    if not problems.found:
        line, column = (root.line, root.column) if root else (1, 1)
        problems.add(line, column, f"expected {expected}, got {root or 'an empty file'}")
    return FileProblems(problems.found)


def system_json_schema() -> Schema:
    """Return the JSON Schema of system files."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "System file of atlas-chaos",
        **schema_of_keys(SYSTEM_KEYS),
    }


def _names(root: MapNode) -> Names:
    services, links = root.get("services"), root.get("links")
    known: dict[str, tuple[str, ...]] = {}
    if isinstance(services, MapNode):
        known["service"] = tuple(key.text for key, _ in services.entries)
    if isinstance(links, MapNode) or links is None:
        entries = links.entries if links else ()
        known["link"] = tuple(_normal(key.text) for key, _ in entries)
    return Names(known=known)


def _normal(text: str) -> str:
    try:
        return str(Link.parse(text))
    except ValueError:
        return text


def _review_clients(root: MapNode, values: Any, place: Place) -> None:
    """Note links whose client is a database: nobody could tell it an address."""
    services, links = values.get("services"), values.get("links")
    node = root.get("links")
    if not (services and links and isinstance(node, MapNode)):
        return
    for (key, _), link in zip(node.entries, links, strict=True):
        if services[link.client].kind is ServiceKind.POSTGRESQL:
            message = f"'{link.client}' is a PostgreSQL cluster, which calls nobody"
            place.at("links").report(key, message)

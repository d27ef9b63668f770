"""Read a scenario file into a `Scenario`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.model.check import Check
from harness.model.errors import FileProblems
from harness.model.fault import Fault
from harness.model.scenario import Scenario
from harness.model.system import System
from harness.scenario_files.alerting import known_alerts
from harness.scenario_files.catalogue_forms import named_check
from harness.scenario_files.forms import Schema
from harness.scenario_files.keys import read_keys, schema_of_keys
from harness.scenario_files.meaning import review_scenario
from harness.scenario_files.places import Names, Place
from harness.scenario_files.problems import Problems, suggestion
from harness.scenario_files.scenario_keys import arguments, scenario_keys
from harness.scenario_files.source import read_text
from harness.scenario_files.system_cache import SystemFiles
from harness.scenario_files.system_files import SYSTEM_SUFFIX, not_a_mapping, read_name
from harness.scenario_files.yaml_nodes import ListNode, MapNode, Node, Scalar, read_node

SCENARIO_SUFFIX = ".chaos.yaml"


def load_scenario(
    path: Path,
    *,
    faults: Sequence[type[Fault]],
    checks: Sequence[type[Check]],
    systems: SystemFiles | None = None,
) -> Scenario:
    """Return the scenario that a file `<name>.chaos.yaml` describes, with its system.

    Args:
        path: The file.
        faults: The faults that it may name.
        checks: The checks that it may name.
        systems: Shared by the scenarios of a batch, so that a system is read once.

    Raises:
        FileProblems: With everything that is wrong with the file and with its system's file.
    """
    return read_scenario(read_text(path), path, faults=faults, checks=checks, systems=systems)


def read_scenario(
    text: str,
    path: Path,
    *,
    faults: Sequence[type[Fault]],
    checks: Sequence[type[Check]],
    systems: SystemFiles | None = None,
) -> Scenario:
    """Return the scenario that `text` describes, as if it stood in the file `path`.

    Raises:
        FileProblems: With everything that is wrong.
    """
    problems = Problems(path)
    name = read_name(path, SCENARIO_SUFFIX, problems)
    root = read_node(text, problems)
    if not isinstance(root, MapNode):
        raise not_a_mapping(root, "a scenario with 'claim', 'system', 'load' ...", problems)
    system = _system(root, problems, systems or SystemFiles())
    names = _names(root, system, path.parent)
    place = Place(problems=problems, names=names, owner="a scenario")
    reading = read_keys(root, scenario_keys(system, faults, checks), place)
    review_scenario(reading, system, place)
    problems.raise_if_any()
    values = {**arguments(reading.values), "system": system}
    return Scenario(name=name, path=path, line=root.line, **values)


def json_schema(faults: Sequence[type[Fault]], checks: Sequence[type[Check]]) -> Schema:
    """Return the JSON Schema of scenario files, for editors.

    It knows keys and notations; what only makes sense together (names of other sections, times
    against each other) is checked by `load_scenario` alone.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Scenario file of atlas-chaos",
        **schema_of_keys(scenario_keys(None, faults, checks)),
    }


def _system(root: MapNode, problems: Problems, systems: SystemFiles) -> System | None:
    """Return the system that a file names; None after noting why there is none."""
    node = root.get("system")
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.text.strip():
        return None  # noted where the keys are read
    folder = problems.path.parent
    is_path = node.text.endswith((".yaml", ".yml"))
    path = folder / (node.text if is_path else f"{node.text}{SYSTEM_SUFFIX}")
    if "\0" in node.text or not path.is_file():
        hint = suggestion(node.text, _systems_beside(path, is_path=is_path))
        problems.add(node.line, node.column, f"system: no such file {path}{hint}")
        return None
    try:
        return systems.load(path)
    except FileProblems as error:
        problems.add_all(error.problems)
        return None


def _systems_beside(path: Path, *, is_path: bool) -> list[str]:
    """Return how a file could name the systems in the folder where one was looked for."""
    try:
        found = sorted(path.parent.glob(f"*{SYSTEM_SUFFIX}"))
    except (OSError, ValueError):
        return []
    return [file.name if is_path else file.name.removesuffix(SYSTEM_SUFFIX) for file in found]


def _names(root: MapNode, system: System | None, folder: Path) -> Names:
    known: dict[str, tuple[str, ...]] = {}
    alerts = known_alerts(root, folder)
    if alerts is not None:
        known["alert"] = alerts
    if system is not None:
        known["service"] = tuple(service.name for service in system.services)
        known["link"] = tuple(str(spec.link) for spec in system.links)
        known["breaker"] = tuple(breaker.name for breaker in system.breakers)
        known["dataset"] = tuple(system.datasets)
    for noun, key in (("load", "load"), ("probe", "probes")):
        node = root.get(key)
        if isinstance(node, MapNode) or node is None:
            known[noun] = tuple(name.text for name, _ in node.entries) if node else ()
    checks = root.get("checks")
    if isinstance(checks, ListNode):
        known["check"] = _check_names(checks.items)
    return Names(known=known)


def _check_names(items: Sequence[Node]) -> tuple[str, ...]:
    named: list[Any] = [named_check(item) for item in items]
    return tuple(dict.fromkeys(pair[0].text for pair in named if pair is not None))

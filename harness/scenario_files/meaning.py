"""Find what is well-formed in a scenario and still cannot be meant."""

from collections.abc import Iterator

from harness.model.fault import Capability, Fault
from harness.model.scenario import TimelineEntry
from harness.model.system import ServiceKind, System
from harness.scenario_files.keys import Reading
from harness.scenario_files.places import Place
from harness.scenario_files.yaml_nodes import ListNode, MapNode, Node

_NEEDS_CHAOS = {Capability.IN_PROCESS, Capability.UPSTREAM}


def review_scenario(reading: Reading, system: System | None, place: Place) -> None:
    """Note faults that prove nothing or undo each other, and variables that nobody reads.

    Args:
        reading: What was read of the file; sections with problems are left out.
        system: The system, None if its file has problems.
        place: The root of the file.
    """
    entries = list(_entries(reading))
    _review_starts(entries, reading, place)
    _review_overlaps(entries, place)
    if system is not None:
        _review_chaos(entries, system, place)
        _review_variables(reading, system, place)


def _entries(reading: Reading) -> Iterator[tuple[MapNode, TimelineEntry]]:
    node = reading.node.get("timeline")
    entries = reading.values.get("timeline")
    if isinstance(node, ListNode) and entries is not None:
        for item, entry in zip(node.items, entries, strict=True):
            if isinstance(item, MapNode):
                yield item, entry


def _review_starts(
    entries: list[tuple[MapNode, TimelineEntry]], reading: Reading, place: Place
) -> None:
    baseline_s = reading.values.get("baseline_s")
    for node, entry in entries:
        if baseline_s is not None and entry.at_s < baseline_s:
            message = (
                f"fault '{entry.fault.name}' starts at {entry.at_s:g} s, before the baseline ends "
                f"({baseline_s:g} s); nothing would show that the system was healthy before"
            )
            place.tell(_value(node, "at"), message)


def _review_overlaps(entries: list[tuple[MapNode, TimelineEntry]], place: Place) -> None:
    for index, (node, entry) in enumerate(entries):
        for earlier_node, earlier in entries[:index]:
            overlap = entry.at_s < earlier.end_s and earlier.at_s < entry.end_s
            if overlap and _are_one(entry.fault, earlier.fault):
                message = (
                    f"fault '{entry.fault.name}' on {entry.fault.target} overlaps the same one in "
                    f"line {earlier_node.line}; the first heal would end both"
                )
                place.tell(_value(node, "at"), message)
                break


def _are_one(fault: Fault, other: Fault) -> bool:
    """Say whether two faults could not be told apart where they act.

    A service has one switch for each kind of in-process fault, whatever its settings are.
    """
    if fault == other:
        return True
    same_switch = fault.name == other.name and fault.target == other.target
    is_switch = Capability.IN_PROCESS in fault.needs
    return same_switch and is_switch and getattr(fault, "kind", "") == getattr(other, "kind", "")


def _review_chaos(
    entries: list[tuple[MapNode, TimelineEntry]], system: System, place: Place
) -> None:
    for node, entry in entries:
        target = entry.fault.target
        if not isinstance(target, str) or not entry.fault.needs & _NEEDS_CHAOS:
            continue
        if not system.service(target).has_chaos:
            message = (
                f"fault '{entry.fault.name}' needs a service with 'chaos: true', which '{target}' "
                f"of {system.path.name} is not"
            )
            place.tell(_value(node, "service"), message)


def _review_variables(reading: Reading, system: System, place: Place) -> None:
    node = reading.node.get("variables")
    for name in reading.values.get("variables", {}):
        if system.service(name).kind is ServiceKind.POSTGRESQL and isinstance(node, MapNode):
            message = f"'{name}' is a PostgreSQL cluster, which reads no variables"
            place.at("variables").report(_value(node, name), message)


def _value(node: MapNode, key: str) -> Node:
    return node.get(key) or node

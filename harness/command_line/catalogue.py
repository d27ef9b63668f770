"""Faults and checks as users know them: by name, with an example that the parser reads."""

from pathlib import Path

from fault_injectors.catalogue import FAULTS
from harness.checks import CHECKS
from harness.command_line.examples import FAULT_EXAMPLES
from harness.model.check import Check
from harness.model.fault import Fault
from harness.model.scenario import TimelineEntry
from harness.scenario_files.catalogue_forms import FaultForm
from harness.scenario_files.places import Names, Place
from harness.scenario_files.problems import Problems
from harness.scenario_files.yaml_nodes import read_node

FAULTS_BY_NAME: dict[str, type[Fault]] = {fault.name: fault for fault in FAULTS}
CHECKS_BY_NAME: dict[str, type[Check]] = {check.name: check for check in CHECKS}


def example_fault(name: str) -> Fault:
    """Return the fault of the example of a name.

    Raises:
        FileProblems: If the example is wrong, which is a mistake of ours.
    """
    problems = Problems(Path(f"example of {name}"))
    node = read_node(FAULT_EXAMPLES[name], problems)
    problems.raise_if_any()
    place = Place(problems=problems, names=Names(), owner="an example")
    entry = FaultForm(faults=FAULTS).read(node, place) if node is not None else None
    problems.raise_if_any()
    if not isinstance(entry, TimelineEntry):
        raise TypeError(f"the example of {name} is no entry of a timeline")
    return entry.fault

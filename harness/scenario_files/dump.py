"""Write a scenario as the text of a scenario file."""

from harness.model.scenario import Scenario
from harness.scenario_files.keys import write_keys
from harness.scenario_files.scenario_keys import scenario_keys
from harness.scenario_files.yaml_text import write_yaml


def dump_scenario(scenario: Scenario) -> str:
    """Return YAML that `read_scenario` reads back to an equal scenario.

    Only what differs from the defaults is written; comments of an original file are not known.
    The types of faults and checks are those of the scenario itself, so no catalogue is needed.

    Raises:
        ValueError: If the scenario was scaled, since a file holds full durations, or if a value
            cannot be written exactly.
    """
    if scenario.time_scale != 1.0:
        raise ValueError(f"{scenario.name} was scaled by {scenario.time_scale}; dump the original")
    return write_yaml(write_keys(scenario, scenario_keys(None, (), ())))

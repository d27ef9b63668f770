"""Scenario and system files: YAML in, frozen values out, or every problem with its place."""

from harness.scenario_files.discovery import discover
from harness.scenario_files.dump import dump_scenario
from harness.scenario_files.scenarios import (
    SCENARIO_SUFFIX,
    json_schema,
    load_scenario,
    read_scenario,
)
from harness.scenario_files.system_cache import SystemFiles
from harness.scenario_files.system_files import (
    SYSTEM_SUFFIX,
    load_system,
    read_system,
    system_json_schema,
)

__all__ = [
    "SCENARIO_SUFFIX",
    "SYSTEM_SUFFIX",
    "SystemFiles",
    "discover",
    "dump_scenario",
    "json_schema",
    "load_scenario",
    "load_system",
    "read_scenario",
    "read_system",
    "system_json_schema",
]

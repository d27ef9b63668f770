"""Every kind of fault can be written into a timeline and read back."""

from dataclasses import replace

import pytest

from fault_injectors.catalogue import FAULTS
from fault_injectors.in_process import InProcess
from fault_injectors.upstream_response import UpstreamResponse
from harness.checks.catalogue import CHECKS
from harness.model.scenario import TimelineEntry
from harness.scenario_files import dump_scenario, read_scenario
from tests.fault_injectors.test_contracts import ANSWERS, IN_PROCESS, accepted
from tests.fault_injectors.test_faults import ASKED
from tests.scenario_files.test_bundled_files import SCENARIOS, SYSTEM

TEXT = """\
claim: Every fault can be written.
system: shadow_atlas
load:
  lookups: {service: api, request: GET /v1/health, rate: 1/s}
baseline: 10s
settle: {at_most: 10s, hold: 1s}
checks:
  - success_ratio: {load: lookups, during: run, at_least: 0%}
"""


@pytest.mark.slow
def test_every_fault_survives_being_written_and_read():
    path = SCENARIOS / "every_fault.chaos.yaml"
    scenario = read_scenario(TEXT, path, faults=FAULTS, checks=CHECKS)
    faults = [fault for fault, _ in ASKED]
    faults += [*accepted(InProcess, IN_PROCESS)][::50]
    faults += [*accepted(UpstreamResponse, ANSWERS)][::200]
    timeline = tuple(
        TimelineEntry(at_s=10.0 + index, duration_s=0.5, fault=fault)
        for index, fault in enumerate(faults)
    )

    text = dump_scenario(replace(scenario, timeline=timeline))

    read_back = read_scenario(text, path, faults=FAULTS, checks=CHECKS)
    assert read_back.timeline == timeline
    assert read_back.system == SYSTEM

"""A small system and a small scenario, to be broken in one place at a time."""

from pathlib import Path

from fault_injectors.catalogue import FAULTS
from harness.model.errors import FileProblems
from harness.model.scenario import Scenario
from harness.model.system import System
from harness.scenario_files import read_scenario, read_system
from tests.scenario_files.small_catalogue import CHECKS

SYSTEM = """\
description: two services and a database
services:
  db: {kind: postgresql, database: atlas}
  api:
    command: python -m shadow_atlas.api
    ready: GET /v1/health
    events: file
    chaos: true
  batch: {command: python -m shadow_atlas.batch}
links:
  api -> db: {variable: ATLAS_DB_ADDRESS, amplification_at_most: 2}
  batch -> db: {variable: ATLAS_DB_ADDRESS}
breakers:
  api-server:
    service: api
    links: [api -> db]
    open_for: 30s
datasets:
  cities:
    - {name: Madison, lat: "43.0731", lon: "-89.4012"}
    - {name: Omaha, lat: "41.2563", lon: "-95.9404"}
"""

SCENARIO = """\
claim: Lookups survive a dead database.
system: small
severity: critical
tags: [api]
load:
  lookups:
    service: api
    request: GET /v1/lookup?lat={lat}&lon={lon}
    dataset: cities
    rate: 4/s
    patience: 5s
    expect_status: [200, 404]
probes:
  health: {service: api, path: /v1/health, every: 1s}
steady_state:
  success_ratio: 99%
  loads: [lookups]
baseline: 20s
timeline:
  - fault: latency
    link: api -> db
    delay: 800ms
    at: 20s
    for: 60s
settle:
  at_most: 90s
  hold: 10s
  until: [{probe: health, value: tasks.open, equals: 0}]
checks:
  - enough_success: {load: lookups, during: fault, at_least: 99%}
  - nothing_lost
"""


def changed(text: str, old: str, new: str) -> str:
    """Return `text` with the one occurrence of `old` replaced."""
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
    return text.replace(old, new)


def read(folder: Path, text: str, *, system: str | None = SYSTEM) -> Scenario:
    """Return the scenario `text`, beside the small system."""
    if system is not None:
        (folder / "small.system.yaml").write_text(system, encoding="utf-8")
    path = folder / "small.chaos.yaml"
    return read_scenario(text, path, faults=FAULTS, checks=CHECKS)


def scenario_problems(folder: Path, text: str, *, system: str | None = SYSTEM) -> list[str]:
    """Return `line:col: message` of each problem, with the file in front if it is another one."""
    try:
        read(folder, text, system=system)
    except FileProblems as found:
        return [_shown(str(problem), folder, "small.chaos.yaml") for problem in found.problems]
    return []


def small_system(text: str = SYSTEM) -> System:
    """Return the small system."""
    return read_system(text, Path("small.system.yaml"))


def system_problems(text: str) -> list[str]:
    """Return `line:col: message` of each problem of a system file."""
    try:
        small_system(text)
    except FileProblems as found:
        return [_shown(str(problem), Path(), "small.system.yaml") for problem in found.problems]
    return []


def _shown(problem: str, folder: Path, own: str) -> str:
    return problem.replace(f"{folder}/", "").removeprefix(f"{own}:").strip()

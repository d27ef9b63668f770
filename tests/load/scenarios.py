"""Scenarios for tests of the load."""

from pathlib import Path
from typing import Any

from harness.model.scenario import Load, Scenario, Settle
from harness.model.system import Service, System

ROWS = (
    {"lat": "43.07", "lon": "-89.40"},
    {"lat": "44.5", "lon": "-88.0"},
    {"lat": "1", "lon": "2"},
)


def load(name: str = "lookups", **changes: Any) -> Load:
    values: dict[str, Any] = {
        "service": "api",
        "rate_per_s": 10.0,
        "clients": 3,
        "dataset": "cities",
    }
    return Load(name=name, **{**values, **changes})


def scenario(*loads: Load, baseline_s: float = 10.0, settle_s: float = 10.0) -> Scenario:
    """Return a scenario without faults that is over after `baseline_s + settle_s` at the latest."""
    system = System(
        name="tiny",
        path=Path("tiny.system.yaml"),
        services=(Service(name="api"),),
        datasets={"cities": ROWS},
    )
    return Scenario(
        name="offers_load",
        path=Path("offers_load.chaos.yaml"),
        claim="Load is offered.",
        system=system,
        loads=loads,
        settle=Settle(at_most_s=settle_s, hold_s=1.0),
        baseline_s=baseline_s,
        checks=(),
    )

"""Loads and plans for tests."""

from typing import Any

from harness.load.plan import LoadPlan, PlannedLoad
from harness.load.schedule import Arrival
from harness.model.records import NS_PER_S
from harness.model.scenario import Reuse


def planned_load(port: int, **changes: Any) -> PlannedLoad:
    values: dict[str, Any] = {
        "name": "lookups",
        "host": "127.0.0.1",
        "port": port,
        "method": "GET",
        "path": "/",
        "body": None,
        "rows": (),
        "reuse": Reuse.POOLED,
        "timeout_s": 5.0,
        "expect_status": (),
    }
    return PlannedLoad(**{**values, **changes})


def arrival(number: int, *, at_ns: int = 0, row: int | None = None) -> Arrival:
    call_id = f"lookups-{number:06d}"
    return Arrival(at_ns=at_ns, load="lookups", call_id=call_id, client="c-000", row=row)


def constant_plan(load: PlannedLoad, *, rate_per_s: int, duration_s: float) -> LoadPlan:
    """Return a plan of one load at a constant rate."""
    arrivals = tuple(
        arrival(number, at_ns=number * NS_PER_S // rate_per_s)
        for number in range(round(rate_per_s * duration_s))
    )
    return LoadPlan(loads=(load,), arrivals=arrivals)

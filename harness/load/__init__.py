"""Offer an open-loop load from a process of its own, on a schedule fixed before the run.

`plan_load` fixes what is offered, `LoadGenerator` offers it, and what became of each operation
stands in a file of records. Latency counts from the intended start, so a stalled system, or a
stalled load process, hides nothing.
"""

from harness.load.generator import LoadCounters, LoadGenerator
from harness.load.plan import LoadPlan, PlannedLoad, plan_load
from harness.load.schedule import Arrival, plan_arrivals

__all__ = [
    "Arrival",
    "LoadCounters",
    "LoadGenerator",
    "LoadPlan",
    "PlannedLoad",
    "plan_arrivals",
    "plan_load",
]

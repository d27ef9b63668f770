"""Hold all faults that only containers allow until killed, and say when they are in force.

python -m tests.docker.held_faults FOLDER RUN_ID
"""

import asyncio
import dataclasses
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from fault_injectors.clock_skew import ClockSkew
from harness.clock import SystemClock
from harness.composition import load
from harness.environments.compose import ComposeEnvironment
from harness.model.fault import Capabilities, Effect
from harness.model.scenario import Scenario, TimelineEntry
from tests.docker.running import SCENARIO, settings

HOUR_S = 3600.0
CORES = 0.01
FAULTS = {
    "oom_kill": ("limits", "oom_kill", "tiger"),
    "disk_full": ("disks", "fill", "db", 0),
    "clock_skew": ("clocks", "skew", "api", HOUR_S),
    # The last one, or it would keep the api from telling its time.
    "cpu_quota": ("limits", "cpu_quota", "api", CORES),
}
IN_FORCE = "all are in force"


def scenario() -> Scenario:
    """Return a scenario with an api whose clock can be set wrong."""
    [found] = load([SCENARIO])
    skew = TimelineEntry(at_s=1.0, duration_s=1.0, fault=ClockSkew(service="api", offset_s=HOUR_S))
    return dataclasses.replace(found, timeline=(*found.timeline, skew))


def fault(on: Capabilities, name: str) -> Effect:
    """Return one of the faults."""
    capability, act, *arguments = FAULTS[name]
    effect: Effect = getattr(getattr(on, capability), act)(*arguments)
    return effect


async def hold(folder: Path, run_id: str) -> None:
    """Start a system and hold the faults for ever."""
    environment = ComposeEnvironment(clock=SystemClock())
    started = environment.start(scenario(), settings(folder, run_id), lambda _: None)
    async with started as system, AsyncExitStack() as stack:
        for name in FAULTS:
            await stack.enter_async_context(fault(system.capabilities, name))
        sys.stdout.write(f"{IN_FORCE}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(hold(Path(sys.argv[1]), sys.argv[2]))

"""Play the timeline of a run: inject each fault at its time and heal it at its end."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from harness.model.fault import Capabilities
from harness.model.records import FaultRecord
from harness.model.run import Recorder
from harness.model.scenario import TimelineEntry


class Stage(Protocol):
    """The clock of the run that a timeline is played in."""

    def now_ns(self) -> int:
        """Return the time since the start of the run."""
        ...

    async def sleep_until(self, at_s: float) -> None:
        """Wait until an instant, seconds since the start of the run."""
        ...


async def play(
    timeline: Sequence[TimelineEntry], on: Capabilities, *, stage: Stage, record: Recorder
) -> None:
    """Inject and heal all faults, overlapping ones side by side.

    If one of them fails, the others are healed before the error leaves.
    """
    async with asyncio.TaskGroup() as group:
        for index, entry in enumerate(timeline):
            teller = _Teller(index, entry, stage=stage, record=record)
            group.create_task(_play_one(entry, on, stage, teller))


class _Teller:
    """Record the steps in the life of one fault."""

    def __init__(self, index: int, entry: TimelineEntry, *, stage: Stage, record: Recorder) -> None:
        self._fault_id = f"{index}:{entry.fault.name}"
        self._entry = entry
        self._stage = stage
        self._record = record

    def tell(self, what: str, detail: str = "", count: int = 0) -> None:
        """Record one step."""
        self._record(
            FaultRecord(
                t_ns=self._stage.now_ns(),
                fault_id=self._fault_id,
                fault=self._entry.fault.name,
                target=str(self._entry.fault.target),
                what=what,
                detail=detail,
                count=count,
            )
        )


async def _play_one(entry: TimelineEntry, on: Capabilities, stage: Stage, teller: _Teller) -> None:
    await stage.sleep_until(entry.at_s)
    async with entry.fault.inject(on) as applied:
        teller.tell("applied", applied.read_back)
        await stage.sleep_until(entry.end_s)
    teller.tell("healed")
    if applied.effects:  # known now at the latest; the network's stand in the proxy's records
        teller.tell("effect", applied.effect, applied.effects)

"""Complete the record of a predecessor that was killed, before any new work begins."""

import asyncio
from pathlib import Path
from typing import Protocol

import structlog

from shadow_atlas.batch.tasks import Outcome
from shadow_atlas.batch.unfinished_records import unfinished_tasks
from shadow_atlas.batch.work_items import END_WORDS, WorkItems
from shadow_atlas.portal_queries.catalogue import Layer


class OutcomeStore(Protocol):
    """Knows where tasks stand; raises when it cannot be reached."""

    async def outcome(self, job_id: int, state: str, layer: Layer) -> Outcome | None:
        """Return where an unclaimed task stands; None for a claimed or unknown one."""
        ...


async def mend_record(folder: Path, *, store: OutcomeStore, work_items: WorkItems) -> int:
    """Record the ends that are stored and not recorded; return how many there were.

    A task that is still claimed needs no mending: its lease will be over, and whoever claims
    it next records how it went.

    Raises:
        Exception: What the store raised when it could not be reached; nothing is recorded twice
            by calling this again, because what was recorded is in the files by then.
    """
    mended = 0
    for task in await asyncio.to_thread(unfinished_tasks, folder):
        outcome = await store.outcome(task.job_id, task.state, task.layer)
        if outcome is not None and outcome.status in END_WORDS:
            work_items.mended(task, outcome)
            mended += 1
    if mended:
        structlog.get_logger().info("completed the record of a predecessor", tasks=mended)
    return mended

"""Hold the values of the queue: what a worker claims, and how it settles it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shadow_atlas.batch.extraction import Extraction
from shadow_atlas.portal_queries.catalogue import Layer


class TaskStatus(StrEnum):
    """Where a task stands."""

    QUEUED = "queued"  # waits until it is due
    RUNNING = "running"  # claimed by a worker, or by one that died and whose lease is not over
    DONE = "done"  # has a result from the state's own portal
    DEGRADED = "degraded"  # has a result from elsewhere; is refreshed while refreshes are left
    FAILED = "failed"  # has no result and will not get one
    SKIPPED = "skipped"  # the state has no such layer


class JobState(StrEnum):
    """Where a job stands."""

    RUNNING = "running"  # at least one task has no outcome yet
    USABLE = "usable"  # each task has an outcome, and degraded ones are still to be refreshed
    COMPLETE = "complete"  # nothing is left to do


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """How many tasks of a job are in which status.

    A degraded task counts as unfinished while a refresh is due: the job is `usable` and becomes
    `complete` when the portal answers again or the refreshes are used up. A job never goes
    back to `running`.

    Args:
        counts: Number of tasks by status.
        pending: Tasks that are still to be claimed, degraded ones included.
    """

    counts: Mapping[TaskStatus, int]
    pending: int

    @property
    def state(self) -> JobState:
        """Where the job stands."""
        if self.counts.get(TaskStatus.QUEUED, 0) or self.counts.get(TaskStatus.RUNNING, 0):
            return JobState.RUNNING
        return JobState.USABLE if self.pending else JobState.COMPLETE

    def document(self) -> dict[str, object]:
        """Return the status as JSON: the state, and a count for every status."""
        return {
            "status": self.state,
            "tasks": {status.value: self.counts.get(status, 0) for status in TaskStatus},
            "pending": self.pending,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Where a task stands that nobody has claimed.

    Args:
        status: Its status.
        attempts: Attempts that were spent.
        source: Where its result came from, None if it has none.
    """

    status: TaskStatus
    attempts: int
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A task in the hands of one worker.

    Args:
        job_id: The job that the task belongs to.
        state: Postal code.
        layer: Kind of boundary.
        status: Running, or degraded if this is a refresh.
        claim: Fencing token; a settlement with an older one changes nothing.
        attempts: Attempts that were spent before this one.
        refreshes: Refreshes that failed before this one.
        lost_claims: Workers that died over this task.
        age_s: Seconds since the task was accepted.
    """

    job_id: int
    state: str
    layer: Layer
    status: TaskStatus
    claim: int
    attempts: int
    refreshes: int
    lost_claims: int
    age_s: float

    @property
    def key(self) -> str:
        """Identity of the task in records."""
        return task_key(self.job_id, self.state, self.layer)

    @property
    def call_id(self) -> str:
        """Identifier of the call that this claim makes; each claim makes one."""
        return f"{self.key}:{self.claim}"

    @property
    def is_refresh(self) -> bool:
        """Say whether the task already has a degraded result."""
        return self.status is TaskStatus.DEGRADED


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a claimed task went.

    Args:
        status: Status from now on.
        what: The word for it in a `work_item` record.
        extraction: The result, if there is one.
        attempts_spent: 1 if the attempt counts, 0 for a local rejection or a return unfinished.
        refreshes_spent: 1 if a refresh failed.
        due_in_s: Seconds until the task may be claimed again, None for never.
        reason: Why there is no result from the portal.
    """

    status: TaskStatus
    what: str
    extraction: Extraction | None = None
    attempts_spent: int = 1
    refreshes_spent: int = 0
    due_in_s: float | None = None
    reason: str | None = None


def task_key(job_id: int, state: str, layer: Layer) -> str:
    """Return the identity of a task.

    >>> task_key(7, "WI", Layer.COUNTY)
    '7:WI:county'
    """
    return f"{job_id}:{state}:{layer}"

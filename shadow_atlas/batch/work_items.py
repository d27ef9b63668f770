"""Record and count the life of each task."""

from prometheus_client import CollectorRegistry, Counter

from shadow_atlas.batch.job_store import StoredJob
from shadow_atlas.batch.tasks import Claim, Outcome, Settlement, TaskStatus, task_key
from shadow_atlas.batch.unfinished_records import Unfinished
from shadow_atlas.events import EventSink
from shadow_atlas.portal_queries.catalogue import Layer

END_WORDS = {
    TaskStatus.DONE: "finished",
    TaskStatus.DEGRADED: "degraded",
    TaskStatus.FAILED: "failed",
    TaskStatus.QUEUED: "requeued",
}
"""The word for each status that a started task can have been left in by its worker."""


class WorkItems:
    """Write a `work_item` record for each thing that happens to a task, after it is stored.

    Args:
        events: Takes the records.
        registry: Where the counter of settlements is registered.
    """

    def __init__(self, *, events: EventSink, registry: CollectorRegistry) -> None:
        self._events = events
        self._settled = Counter(
            "batch_tasks_settled", "settlements of tasks", ["what"], registry=registry
        )

    def accepted(self, job: StoredJob) -> None:
        """Record the tasks of a new job; one that will never run is skipped at once."""
        for state, layer, status in job.tasks:
            self._emit(job.id, state, layer, what="accepted")
            if status is TaskStatus.SKIPPED:
                self._emit(job.id, state, layer, what="skipped")

    def started(self, claim: Claim) -> None:
        """Record that a worker begins with a task."""
        self._emit(
            claim.job_id, claim.state, claim.layer, what="started", attempt=claim.attempts + 1
        )

    def settled(self, claim: Claim, settlement: Settlement) -> None:
        """Record how it went."""
        self._settled.labels(settlement.what).inc()
        extraction = settlement.extraction
        self._emit(
            claim.job_id,
            claim.state,
            claim.layer,
            what=settlement.what,
            attempt=claim.attempts + settlement.attempts_spent,
            source=None if extraction is None else extraction.source.value,
        )

    def mended(self, task: Unfinished, outcome: Outcome) -> None:
        """Record what a predecessor had stored and was killed before it could record."""
        self._emit(
            task.job_id,
            task.state,
            task.layer,
            what=END_WORDS[outcome.status],
            attempt=outcome.attempts,
            source=outcome.source,
        )

    def _emit(
        self,
        job_id: int,
        state: str,
        layer: Layer,
        *,
        what: str,
        attempt: int | None = None,
        source: str | None = None,
    ) -> None:
        self._events.emit(
            "work_item",
            key=task_key(job_id, state, layer),
            what=what,
            job=str(job_id),
            attempt=attempt,
            source=source,
        )

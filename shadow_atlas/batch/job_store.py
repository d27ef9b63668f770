"""Keep jobs, tasks and results in PostgreSQL; the only module here that speaks SQL."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from shadow_atlas.batch import statements
from shadow_atlas.batch.extraction import Extraction, Source
from shadow_atlas.batch.job_request import JobRequest, KeyReused
from shadow_atlas.batch.rows import (
    claim_of_row,
    job_status_of_rows,
    result_of_row,
    stale_of_row,
)
from shadow_atlas.batch.tasks import Claim, JobStatus, Outcome, Settlement, TaskStatus
from shadow_atlas.database import Connection, Database
from shadow_atlas.portal_queries.catalogue import Layer, has_layer
from shadow_atlas.portal_queries.geojson import Boundaries

Result = TypeVar("Result")

SKIP_REASON = "the legislature has one chamber"


class Guard(Protocol):
    """Protects one transaction, and records its attempts."""

    async def call(self, operation: str, work: Callable[[], Awaitable[Result]]) -> Result:
        """Run `work`, or refuse to."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredJob:
    """Where a request ended up.

    Args:
        id: Identifier of the job.
        is_new: Whether this request made it; False if its key was known.
        tasks: State, layer and status of each task as it was stored; empty unless new.
    """

    id: int
    is_new: bool
    tasks: tuple[tuple[str, Layer, TaskStatus], ...] = ()


class JobStore:
    """Read and write the job tables, one transaction for each method.

    Args:
        database: Lends connections.
        guard: Protects each transaction.
    """

    def __init__(self, *, database: Database, guard: Guard) -> None:
        self._database = database
        self._guard = guard

    async def submit(self, request: JobRequest) -> StoredJob:
        """Store a job and its tasks; a repeated key returns the job that it made first.

        Raises:
            KeyReused: If the key stands for another request.
        """

        async def work(connection: Connection) -> StoredJob:
            job_id = await connection.fetchval(
                statements.INSERT_JOB, request.idempotency_key, request.sha256
            )
            if job_id is None:
                return await _known_job(connection, request)
            tasks = _initial_tasks(request)
            await connection.execute(
                statements.INSERT_TASKS,
                job_id,
                [state for state, _, _ in tasks],
                [layer.value for _, layer, _ in tasks],
                [status is TaskStatus.SKIPPED for _, _, status in tasks],
                SKIP_REASON,
            )
            return StoredJob(id=job_id, is_new=True, tasks=tasks)

        return await self._transaction("submit", work)

    async def claim(self, *, count: int, lease_s: float) -> Sequence[Claim]:
        """Take up to `count` due tasks; no other worker gets them while the lease holds."""

        async def work(connection: Connection) -> Sequence[Claim]:
            rows = await connection.fetch(statements.CLAIM_TASKS, count, lease_s)
            return [claim_of_row(row) for row in rows]

        return await self._transaction("claim", work)

    async def extend(self, claims: Sequence[int], *, lease_s: float) -> frozenset[int]:
        """Prolong leases and return the claims that still hold."""

        async def work(connection: Connection) -> frozenset[int]:
            rows = await connection.fetch(statements.EXTEND_CLAIMS, list(claims), lease_s)
            return frozenset(row["claim"] for row in rows)

        return await self._transaction("extend", work)

    async def settle(self, claim: Claim, settlement: Settlement) -> bool:
        """Store how a claimed task went, with its result if it has one, in one transaction.

        It may be repeated: a connection that breaks during the commit leaves open whether the
        settlement was stored, and only the next try can tell.

        Returns:
            False if the claim no longer holds: another worker has the task, nothing was stored.
        """
        task = (claim.job_id, claim.state, claim.layer.value, claim.claim)

        async def work(connection: Connection) -> bool:
            held = await connection.fetchval(
                statements.SETTLE_TASK,
                *task,
                settlement.status.value,
                settlement.attempts_spent,
                settlement.refreshes_spent,
                settlement.due_in_s,
                settlement.reason,
            )
            if held is None:
                return bool(await connection.fetchval(statements.IS_SETTLED, *task))
            if settlement.extraction is not None:
                await _store_content(connection, settlement.extraction.boundaries)
                await _store_result(connection, claim, settlement.extraction)
            return True

        return await self._transaction("settle", work)

    async def remember(self, extraction: Extraction) -> None:
        """Store an extraction from a portal as the last good one of its state and layer."""

        async def work(connection: Connection) -> None:
            await _store_content(connection, extraction.boundaries)
            await connection.execute(
                statements.UPSERT_LAST_GOOD,
                extraction.state,
                extraction.layer.value,
                extraction.portal,
                extraction.boundaries.sha256,
            )

        await self._transaction("remember", work)

    async def last_good(self, state: str, layer: Layer) -> Extraction | None:
        """Return the last good extraction, None if there never was one."""

        async def work(connection: Connection) -> Extraction | None:
            row = await connection.fetchrow(statements.LAST_GOOD, state, layer.value)
            return None if row is None else stale_of_row(row, state, layer)

        return await self._transaction("last_good", work)

    async def status(self, job_id: int) -> JobStatus | None:
        """Return how many tasks of a job are in which status, None for an unknown job."""

        async def work(connection: Connection) -> JobStatus | None:
            rows = await connection.fetch(statements.JOB_COUNTS, job_id)
            return job_status_of_rows(rows) if rows else None

        return await self._transaction("status", work)

    async def queue(self) -> JobStatus:
        """Return how many tasks of all jobs are in which status."""

        async def work(connection: Connection) -> JobStatus:
            return job_status_of_rows(await connection.fetch(statements.QUEUE_COUNTS))

        return await self._transaction("queue", work)

    async def outcome(self, job_id: int, state: str, layer: Layer) -> Outcome | None:
        """Return where an unclaimed task stands; None for a claimed or unknown one."""

        async def work(connection: Connection) -> Outcome | None:
            row = await connection.fetchrow(statements.TASK_OUTCOME, job_id, state, layer.value)
            if row is None:
                return None
            return Outcome(
                status=TaskStatus(row["status"]), attempts=row["attempts"], source=row["source"]
            )

        return await self._transaction("outcome", work)

    async def results(self, job_id: int) -> Sequence[dict[str, object]]:
        """Return each task with its result; empty for an unknown job."""

        async def work(connection: Connection) -> Sequence[dict[str, object]]:
            return [
                result_of_row(row) for row in await connection.fetch(statements.JOB_TASKS, job_id)
            ]

        return await self._transaction("results", work)

    async def content(self, job_id: int, state: str, layer: Layer) -> tuple[str, str] | None:
        """Return source and GeoJSON text of one result, None if there is none."""

        async def work(connection: Connection) -> tuple[str, str] | None:
            row = await connection.fetchrow(statements.RESULT_CONTENT, job_id, state, layer.value)
            return None if row is None else (row["source"], row["geojson"])

        return await self._transaction("content", work)

    async def _transaction(
        self, operation: str, work: Callable[[Connection], Awaitable[Result]]
    ) -> Result:
        async def run() -> Result:
            async with self._database.connection() as connection, connection.transaction():
                return await work(connection)

        return await self._guard.call(operation, run)


def _initial_tasks(request: JobRequest) -> tuple[tuple[str, Layer, TaskStatus], ...]:
    return tuple(
        (state, layer, TaskStatus.QUEUED if has_layer(state, layer) else TaskStatus.SKIPPED)
        for state in request.states
        for layer in request.layers
    )


async def _known_job(connection: Connection, request: JobRequest) -> StoredJob:
    row = await connection.fetchrow(statements.JOB_OF_KEY, request.idempotency_key)
    if row["request_sha256"] != request.sha256:
        raise KeyReused(f"the key stands for job {row['id']}, which asked for something else")
    return StoredJob(id=row["id"], is_new=False)


async def _store_content(connection: Connection, boundaries: Boundaries) -> None:
    # Looking first keeps the text, which is usually known, off the wire.
    if await connection.fetchval(statements.HAS_CONTENT, boundaries.sha256) is None:
        await connection.execute(
            statements.INSERT_CONTENT,
            boundaries.sha256,
            boundaries.feature_count,
            boundaries.text,
        )


async def _store_result(connection: Connection, claim: Claim, extraction: Extraction) -> None:
    await connection.execute(
        statements.UPSERT_RESULT,
        claim.job_id,
        claim.state,
        claim.layer.value,
        claim.claim,
        extraction.source.value,
        extraction.portal,
        extraction.boundaries.sha256,
        extraction.age_s,
    )
    if extraction.source is Source.PRIMARY:
        await connection.execute(
            statements.UPSERT_LAST_GOOD,
            claim.state,
            claim.layer.value,
            extraction.portal,
            extraction.boundaries.sha256,
        )

"""Hold every SQL statement of the batch service, by name.

One clock rules the queue: the server's `now()`. Workers on hosts whose clocks differ agree on
when a task is due and when a lease is over.
"""

from typing import Final

INSERT_JOB: Final = """
    INSERT INTO batch_jobs (idempotency_key, request_sha256) VALUES ($1, $2)
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING id
"""

JOB_OF_KEY: Final = "SELECT id, request_sha256 FROM batch_jobs WHERE idempotency_key = $1"

INSERT_TASKS: Final = """
    INSERT INTO batch_tasks (job_id, state, layer, status, not_before, reason)
    SELECT $1, task.state, task.layer,
           CASE WHEN task.is_skipped THEN 'skipped' ELSE 'queued' END,
           CASE WHEN task.is_skipped THEN NULL ELSE now() END,
           CASE WHEN task.is_skipped THEN $5 END
    FROM unnest($2::text[], $3::text[], $4::boolean[]) AS task (state, layer, is_skipped)
"""

CLAIM_TASKS: Final = """
    UPDATE batch_tasks AS task
    SET status = CASE task.status WHEN 'degraded' THEN 'degraded' ELSE 'running' END,
        lost_claims = task.lost_claims + CASE WHEN task.claim IS NULL THEN 0 ELSE 1 END,
        claim = nextval('batch_claims'),
        claimed_until = now() + make_interval(secs => $2)
    FROM (
        SELECT job_id, state, layer FROM batch_tasks
        WHERE not_before <= now() AND (claimed_until IS NULL OR claimed_until <= now())
        ORDER BY not_before, job_id, state, layer
        LIMIT $1
        FOR UPDATE SKIP LOCKED
    ) AS due
    WHERE (task.job_id, task.state, task.layer) = (due.job_id, due.state, due.layer)
    RETURNING task.job_id, task.state, task.layer, task.status, task.claim, task.attempts,
              task.refreshes, task.lost_claims,
              extract(epoch FROM now() - task.created_at)::double precision AS age_s
"""

EXTEND_CLAIMS: Final = """
    UPDATE batch_tasks SET claimed_until = now() + make_interval(secs => $2)
    WHERE claim = ANY ($1::bigint[])
    RETURNING claim
"""

# The claim is the fencing token: a worker whose lease ran out while it was stalled holds a
# number that is no longer in the row, and changes nothing.
SETTLE_TASK: Final = """
    UPDATE batch_tasks
    SET status = $5,
        attempts = attempts + $6,
        refreshes = refreshes + $7,
        not_before = CASE WHEN $8::double precision IS NULL THEN NULL
                          ELSE now() + make_interval(secs => $8) END,
        reason = $9,
        claim = NULL,
        claimed_until = NULL,
        settled_claim = claim
    WHERE job_id = $1 AND state = $2 AND layer = $3 AND claim = $4
    RETURNING job_id
"""

IS_SETTLED: Final = """
    SELECT 1 FROM batch_tasks
    WHERE job_id = $1 AND state = $2 AND layer = $3 AND settled_claim = $4
"""
"""Whether a claim has settled its task already, in a transaction whose answer was lost."""

HAS_CONTENT: Final = "SELECT 1 FROM batch_contents WHERE sha256 = $1"

INSERT_CONTENT: Final = """
    INSERT INTO batch_contents (sha256, feature_count, geojson) VALUES ($1, $2, $3)
    ON CONFLICT (sha256) DO NOTHING
"""

UPSERT_RESULT: Final = """
    INSERT INTO batch_results (job_id, state, layer, claim, source, portal, sha256, extracted_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, now() - make_interval(secs => $8))
    ON CONFLICT (job_id, state, layer) DO UPDATE
    SET claim = excluded.claim, source = excluded.source, portal = excluded.portal,
        sha256 = excluded.sha256, extracted_at = excluded.extracted_at
"""

UPSERT_LAST_GOOD: Final = """
    INSERT INTO batch_last_good (state, layer, portal, sha256, extracted_at)
    VALUES ($1, $2, $3, $4, now())
    ON CONFLICT (state, layer) DO UPDATE
    SET portal = excluded.portal, sha256 = excluded.sha256, extracted_at = excluded.extracted_at
"""

LAST_GOOD: Final = """
    SELECT good.portal, good.sha256, content.feature_count, content.geojson,
           extract(epoch FROM now() - good.extracted_at)::double precision AS age_s
    FROM batch_last_good AS good JOIN batch_contents AS content USING (sha256)
    WHERE good.state = $1 AND good.layer = $2
"""

JOB_COUNTS: Final = """
    SELECT status, count(*)::integer AS tasks,
           count(*) FILTER (WHERE not_before IS NOT NULL)::integer AS pending
    FROM batch_tasks WHERE job_id = $1 GROUP BY status
"""

QUEUE_COUNTS: Final = """
    SELECT status, count(*)::integer AS tasks,
           count(*) FILTER (WHERE not_before IS NOT NULL)::integer AS pending
    FROM batch_tasks GROUP BY status
"""

TASK_OUTCOME: Final = """
    SELECT task.status, task.attempts, result.source
    FROM batch_tasks AS task LEFT JOIN batch_results AS result USING (job_id, state, layer)
    WHERE task.job_id = $1 AND task.state = $2 AND task.layer = $3 AND task.claim IS NULL
"""

JOB_TASKS: Final = """
    SELECT task.state, task.layer, task.status, task.attempts, task.refreshes, task.reason,
           result.source, result.portal, result.sha256, result.extracted_at,
           content.feature_count
    FROM batch_tasks AS task
    LEFT JOIN batch_results AS result USING (job_id, state, layer)
    LEFT JOIN batch_contents AS content USING (sha256)
    WHERE task.job_id = $1
    ORDER BY task.state, task.layer
"""

RESULT_CONTENT: Final = """
    SELECT result.source, content.geojson
    FROM batch_results AS result JOIN batch_contents AS content USING (sha256)
    WHERE result.job_id = $1 AND result.state = $2 AND result.layer = $3
"""

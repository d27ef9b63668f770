"""Hold the schema as ordered, named migrations; `shadow_atlas.migrate` applies them.

The order is the order of the tuple. A migration that has been released is never edited: its
digest is stored with it, and `migrate` refuses a database whose history differs.
"""

import hashlib
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of the schema, applied once and in one transaction.

    Args:
        name: Unique; sorts in the order of the steps.
        sql: Statements, valid from PostgreSQL 15 to 18.
    """

    name: str
    sql: str

    @property
    def digest(self) -> str:
        """Fingerprint of the statements."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


CREATE_AREAS: Final = Migration(
    name="0001_areas",
    sql="""
    CREATE TABLE areas (
        id text PRIMARY KEY,
        level text NOT NULL CHECK (level IN ('state', 'county')),
        fips text NOT NULL,
        name text NOT NULL,
        state text NOT NULL CHECK (length(state) = 2),
        min_lon double precision NOT NULL,
        min_lat double precision NOT NULL,
        max_lon double precision NOT NULL CHECK (max_lon >= min_lon),
        max_lat double precision NOT NULL CHECK (max_lat >= min_lat),
        digest text NOT NULL,
        geometry text NOT NULL,
        UNIQUE (level, fips)
    );
    -- A GiST index on boxes answers "which boxes hold this point" without an extension.
    CREATE INDEX areas_box ON areas USING gist (
        box(point(min_lon, min_lat), point(max_lon, max_lat))
    );
    """,
)

CREATE_BATCH: Final = Migration(
    name="0002_batch",
    sql="""
    CREATE SEQUENCE batch_claims;
    CREATE TABLE batch_jobs (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        idempotency_key text UNIQUE,
        request_sha256 text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE batch_tasks (
        job_id bigint NOT NULL REFERENCES batch_jobs ON DELETE CASCADE,
        state text NOT NULL,
        layer text NOT NULL,
        status text NOT NULL CHECK (
            status IN ('queued', 'running', 'done', 'degraded', 'failed', 'skipped')
        ),
        attempts integer NOT NULL DEFAULT 0,
        refreshes integer NOT NULL DEFAULT 0,
        lost_claims integer NOT NULL DEFAULT 0,
        -- When the task may be claimed; null once nothing is left to do.
        not_before timestamptz,
        claim bigint UNIQUE,
        claimed_until timestamptz,
        reason text,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (job_id, state, layer),
        CHECK ((claim IS NULL) = (claimed_until IS NULL))
    );
    CREATE INDEX batch_tasks_due ON batch_tasks (not_before) WHERE not_before IS NOT NULL;
    -- Boundaries seldom change: equal content is stored once, under its digest.
    CREATE TABLE batch_contents (
        sha256 text PRIMARY KEY,
        feature_count integer NOT NULL CHECK (feature_count > 0),
        geojson text NOT NULL
    );
    CREATE TABLE batch_results (
        job_id bigint NOT NULL,
        state text NOT NULL,
        layer text NOT NULL,
        claim bigint NOT NULL,
        source text NOT NULL CHECK (source IN ('primary', 'degraded', 'stale_cache')),
        portal text NOT NULL,
        sha256 text NOT NULL REFERENCES batch_contents,
        extracted_at timestamptz NOT NULL,
        PRIMARY KEY (job_id, state, layer),
        FOREIGN KEY (job_id, state, layer) REFERENCES batch_tasks ON DELETE CASCADE
    );
    CREATE TABLE batch_last_good (
        state text NOT NULL,
        layer text NOT NULL,
        portal text NOT NULL,
        sha256 text NOT NULL REFERENCES batch_contents,
        extracted_at timestamptz NOT NULL,
        PRIMARY KEY (state, layer)
    );
    """,
)

CREATE_BOUNDARY_VERSIONS: Final = Migration(
    name="0003_boundary_versions",
    sql="""
    -- One row for each set of areas that was put in force; the highest number is in force.
    CREATE TABLE boundary_versions (
        version bigint PRIMARY KEY CHECK (version > 0),
        source text NOT NULL CHECK (source IN ('shipped', 'tiger')),
        areas integer NOT NULL CHECK (areas > 0),
        changed integer NOT NULL CHECK (changed >= 0),
        stored_at timestamptz NOT NULL DEFAULT now()
    );
    -- Its only row is the lease of whoever refreshes the areas. The number fences: a holder that
    -- was too slow finds another number there.
    CREATE TABLE boundary_refresh (
        is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
        claim bigint NOT NULL DEFAULT 0,
        claimed_until timestamptz NOT NULL DEFAULT '-infinity'
    );
    INSERT INTO boundary_refresh DEFAULT VALUES;
    """,
)

REMEMBER_SETTLED_CLAIM: Final = Migration(
    name="0004_settled_claim",
    sql="""
    -- The claim by which a task was settled last: whoever lost the answer to a commit can tell
    -- its own settlement from that of another worker.
    ALTER TABLE batch_tasks ADD COLUMN settled_claim bigint;
    """,
)

MIGRATIONS: Final[tuple[Migration, ...]] = (
    CREATE_AREAS,
    CREATE_BATCH,
    CREATE_BOUNDARY_VERSIONS,
    REMEMBER_SETTLED_CLAIM,
)
"""All steps in order. Append; never insert, edit or remove."""

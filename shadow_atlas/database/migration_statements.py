"""All SQL of the migrate command, as named statements; valid from PostgreSQL 15 to 18."""

from typing import Final

LOCK_MIGRATIONS: Final = "SELECT pg_advisory_xact_lock($1)"
"""Wait until no other migration runs. $1: the lock's number."""

CREATE_HISTORY: Final = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        name text PRIMARY KEY,
        digest text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""

APPLIED_MIGRATIONS: Final = "SELECT name, digest FROM schema_migrations ORDER BY name"

RECORD_MIGRATION: Final = "INSERT INTO schema_migrations (name, digest) VALUES ($1, $2)"

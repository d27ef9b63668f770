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

UPSERT_AREA: Final = """
    INSERT INTO areas (
        id, level, fips, name, state, min_lon, min_lat, max_lon, max_lat, digest, geometry
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (id) DO UPDATE SET
        level = excluded.level, fips = excluded.fips, name = excluded.name,
        state = excluded.state, min_lon = excluded.min_lon, min_lat = excluded.min_lat,
        max_lon = excluded.max_lon, max_lat = excluded.max_lat,
        digest = excluded.digest, geometry = excluded.geometry
    WHERE areas.digest <> excluded.digest
"""
"""Add an area, or replace it if its content changed."""

REMOVE_OTHER_AREAS: Final = "DELETE FROM areas WHERE NOT id = ANY($1::text[])"
"""Remove areas of an earlier edition. $1: the ids that stay."""

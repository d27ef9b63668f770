"""All SQL that writes areas and their versions, as named statements; PostgreSQL 15 to 18."""

from typing import Final

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

REMOVE_OTHER_AREAS: Final = (
    "DELETE FROM areas WHERE level = ANY($2::text[]) AND id <> ALL($1::text[])"
)
"""Remove areas of an earlier edition. $1: the ids that stay, $2: the levels that are looked at."""

CURRENT_VERSION: Final = """
    SELECT version, source,
           extract(epoch FROM now() - stored_at)::double precision AS age_s
    FROM boundary_versions ORDER BY version DESC LIMIT 1
"""

ADD_VERSION: Final = """
    INSERT INTO boundary_versions (version, source, areas, changed)
    VALUES ((SELECT coalesce(max(version), 0) + 1 FROM boundary_versions), $1, $2, $3)
    RETURNING version
"""
"""Number a new set. The caller holds the row of `boundary_refresh`, so no number is used twice."""

LOCK_REFRESH: Final = "SELECT claim FROM boundary_refresh FOR UPDATE"
"""Keep every refresh from writing until the transaction ends."""

CLAIM_REFRESH: Final = """
    UPDATE boundary_refresh
    SET claim = claim + 1, claimed_until = now() + make_interval(secs => $1)
    WHERE (claimed_until <= now() OR claim = $3) AND NOT EXISTS (
        SELECT FROM boundary_versions WHERE stored_at > now() - make_interval(secs => $2)
    )
    RETURNING claim
"""
"""Take the lease, unless somebody has it or the set is young enough.

$1: length of the lease, seconds. $2: age from which the set in force is old enough, seconds.
$3: a claim of the caller's own that it could not give back, or 0.
"""

HOLD_CLAIM: Final = """
    SELECT claim FROM boundary_refresh WHERE claim = $1 AND claimed_until > now() FOR UPDATE
"""
"""Keep the lease from passing on until the transaction ends; no row if it has. $1: the claim."""

RELEASE_CLAIM: Final = """
    UPDATE boundary_refresh SET claimed_until = '-infinity' WHERE claim = $1
"""

STORED_COUNTIES: Final = "SELECT id, digest, state FROM areas WHERE level = 'county'"

STATE_BOXES: Final = """
    SELECT state, min_lon, min_lat, max_lon, max_lat FROM areas WHERE level = 'state'
"""

LIMIT_STATEMENTS: Final = "SELECT set_config('statement_timeout', $1, true)"
"""Bound the statements of this transaction only. $1: milliseconds, as text."""

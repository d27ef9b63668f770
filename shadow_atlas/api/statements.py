"""All SQL of the api service, as named statements; valid from PostgreSQL 15 to 18."""

from typing import Final

CANDIDATES_AT_POINT: Final = """
    SELECT current.version, current.source, current.age_s,
           areas.id, areas.digest, areas.level, areas.fips, areas.name, areas.state
    FROM (VALUES (1)) AS always
    LEFT JOIN (
        SELECT version, source,
               extract(epoch FROM now() - stored_at)::double precision AS age_s
        FROM boundary_versions ORDER BY version DESC LIMIT 1
    ) AS current ON true
    LEFT JOIN areas ON
        box(point(min_lon, min_lat), point(max_lon, max_lat)) @> box(point($1, $2), point($1, $2))
    ORDER BY areas.id
"""
"""Areas whose box holds a point, and which set they are of: both from one snapshot.

There is a row even where there is no area; its area is null. $1: longitude, $2: latitude, degrees.
"""

GEOMETRIES: Final = """
    SELECT id, digest, geometry
    FROM areas
    WHERE id = ANY($1::text[])
"""
"""Shapes of some areas, as GeoJSON. $1: their ids."""

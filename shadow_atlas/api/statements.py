"""All SQL of the api service, as named statements; valid from PostgreSQL 15 to 18."""

from typing import Final

CANDIDATES_AT_POINT: Final = """
    SELECT id, digest, level, fips, name, state
    FROM areas
    WHERE box(point(min_lon, min_lat), point(max_lon, max_lat)) @> box(point($1, $2), point($1, $2))
    ORDER BY id
"""
"""Areas whose box holds a point. $1: longitude, $2: latitude, degrees."""

GEOMETRIES: Final = """
    SELECT id, digest, geometry
    FROM areas
    WHERE id = ANY($1::text[])
"""
"""Shapes of some areas, as GeoJSON. $1: their ids."""

"""Read the shipped GeoJSON features.

The Census areas (states and counties) are real, edition 2017 of the cartographic boundary
files. The legislative districts are fixtures: real counties, grouped from west to east into
as many districts as the legislature has seats, or one per county where there are more seats.
They have the form of real districts, and must not be used to tell anybody where to vote.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from shadow_atlas.geometry.states import CENSUS_LEVELS, STATES_BY_POSTAL, Level

_CENSUS_FILE = "census.ndjson.gz"
_DISTRICTS_FILE = "districts.ndjson.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One area.

    Args:
        level: Kind of area.
        fips: Code: 2 digits for a state, 5 for a county, state and 2 or 3 digits for a district.
        name: Name as the Census Bureau writes it, without the word "County".
        state: Postal code of the state.
        polygons: GeoJSON coordinates of a MultiPolygon, (lon, lat) in degrees of NAD 83.
    """

    level: Level
    fips: str
    name: str
    state: str
    polygons: list[list[list[list[float]]]]

    @property
    def id(self) -> str:
        """Identity across levels, such as `county:55025`."""
        return f"{self.level}:{self.fips}"

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """The smallest box around the area: (min_lon, min_lat, max_lon, max_lat), degrees."""
        points = [point for polygon in self.polygons for point in polygon[0]]
        lons = [lon for lon, _ in points]
        lats = [lat for _, lat in points]
        return min(lons), min(lats), max(lons), max(lats)

    def geometry(self) -> dict[str, Any]:
        """Return the GeoJSON geometry."""
        return {"type": "MultiPolygon", "coordinates": self.polygons}

    def geojson(self) -> dict[str, Any]:
        """Return the GeoJSON feature."""
        return {
            "type": "Feature",
            "properties": {
                "level": self.level,
                "fips": self.fips,
                "name": self.name,
                "state": self.state,
            },
            "geometry": self.geometry(),
        }


def load_census_features() -> list[Feature]:
    """Read all states and counties, ordered by level (states first) and code."""
    return list(_features(_CENSUS_FILE))


def load_district_features() -> list[Feature]:
    """Read all legislative districts, those of one state and level ordered by code."""
    return list(_features(_DISTRICTS_FILE))


def load_features(state: str, level: Level) -> list[Feature]:
    """Read the areas of one level in one state, ordered by code.

    Args:
        state: Postal code of a shipped state.
        level: Kind of area.

    Returns:
        The areas; none for a chamber that the state does not have, and for legislative levels
        of states without seats in `STATES`.

    Raises:
        ValueError: If the state is not shipped.

    >>> [feature.name for feature in load_features("DC", "county")]
    ['District of Columbia']
    >>> load_features("NE", "state_house")
    []
    """
    if state not in STATES_BY_POSTAL:
        raise ValueError(f"state={state!r} must be one of {', '.join(STATES_BY_POSTAL)}")
    source = _CENSUS_FILE if level in CENSUS_LEVELS else _DISTRICTS_FILE
    return [each for each in _features(source) if each.state == state and each.level == level]


def _features(file_name: str) -> Iterator[Feature]:
    packed = files("shadow_atlas.geometry").joinpath("data", file_name).read_bytes()
    for line in gzip.decompress(packed).splitlines():
        record = json.loads(line)
        yield Feature(
            **record["properties"],
            polygons=record["geometry"]["coordinates"],
        )

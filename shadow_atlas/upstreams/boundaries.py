"""Hold the shipped geometry of one stand-in's states, read once when it starts."""

from collections.abc import Sequence

from shadow_atlas.geometry import (
    STATES_BY_POSTAL,
    Feature as Area,
    load_census_features,
    load_district_features,
)
from shadow_atlas.upstreams.portals import Feature


class ShippedBoundaries:
    """Serve the geometry that comes with the package.

    Args:
        states: Postal codes of the states to read.
    """

    def __init__(self, states: Sequence[str]) -> None:
        self._features: dict[tuple[str, str], list[Feature]] = {}
        for area in (*load_census_features(), *load_district_features()):
            if area.state in states:
                layer = self._features.setdefault((area.state, area.level), [])
                layer.append(_published(area))

    def features(self, *, state: str, layer: str) -> Sequence[Feature]:
        """Return the features ordered by code; none for a layer that does not exist."""
        return self._features.get((state, layer), ())


def _published(area: Area) -> Feature:
    """Name the fields as the Census Bureau does in its own services."""
    return {
        "type": "Feature",
        "properties": {
            "GEOID": area.fips,
            "NAME": area.name,
            "STATEFP": STATES_BY_POSTAL[area.state].fips,
        },
        "geometry": area.geometry(),
    }

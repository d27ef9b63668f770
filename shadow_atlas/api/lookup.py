"""Find the districts at a coordinate: boxes from the database, exact shapes from shapely."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import shapely

from shadow_atlas.api import statements
from shadow_atlas.api.coordinates import Coordinate
from shadow_atlas.boundaries import BoundaryVersion, CurrentBoundaries
from shadow_atlas.boundaries.counties import County
from shadow_atlas.database import Connection, Database

LEVELS = ("state", "county")


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """One area that holds the coordinate.

    Args:
        level: Kind of area, `state` or `county`.
        fips: Its code.
        name: Its name.
        state: Postal code of its state.
    """

    level: str
    fips: str
    name: str
    state: str

    def json(self) -> dict[str, str]:
        """Return the form that answers have."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the database said of a coordinate.

    Args:
        districts: State first; none outside the coverage.
        boundaries: The set that they are of; None in a database that never numbered one.
    """

    districts: tuple[District, ...]
    boundaries: BoundaryVersion | None


class DistrictLookup:
    """Look coordinates up.

    Every lookup asks the database, which alone knows what areas there are. Shapes are parsed
    once per area and digest, so a new edition of an area is never answered from an old shape.

    Args:
        database: Where the areas are.
        current: Told which set of boundaries is in force.
    """

    def __init__(self, database: Database, *, current: CurrentBoundaries) -> None:
        self._database = database
        self._current = current
        self._shapes: dict[str, tuple[str, shapely.Geometry]] = {}

    def adopt(self, counties: Iterable[County]) -> None:
        """Look up in these counties from now on; the shapes of all others are forgotten at once."""
        states = {id_: kept for id_, kept in self._shapes.items() if id_.startswith("state:")}
        shapes = {county.feature.id: (county.digest, county.shape) for county in counties}
        self._shapes = {**states, **shapes}

    async def find(self, coordinate: Coordinate) -> Found:
        """Return the districts at a coordinate, and the set of boundaries that they are of.

        A coordinate on a common border belongs to the area with the lowest code.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                statements.CANDIDATES_AT_POINT, coordinate.lon, coordinate.lat
            )
            candidates = [row for row in rows if row["id"] is not None]
            await self._learn_shapes(connection, candidates)
        holding = [row for row in candidates if self._holds(row, coordinate)]
        by_level = {row["level"]: row for row in reversed(holding)}  # the lowest id wins
        return Found(
            districts=tuple(_district(by_level[level]) for level in LEVELS if level in by_level),
            boundaries=self._version(rows[0]),
        )

    def _version(self, row: Mapping[str, Any]) -> BoundaryVersion | None:
        if row["version"] is None:
            return None
        return self._current.learn(number=row["version"], source=row["source"], age_s=row["age_s"])

    async def _learn_shapes(
        self, connection: Connection, candidates: Sequence[Mapping[str, Any]]
    ) -> None:
        unknown = [row["id"] for row in candidates if not self._knows(row)]
        if unknown:
            for row in await connection.fetch(statements.GEOMETRIES, unknown):
                shape = shapely.from_geojson(row["geometry"])
                shapely.prepare(shape)
                self._shapes[row["id"]] = (row["digest"], shape)

    def _knows(self, row: Mapping[str, Any]) -> bool:
        digest, _shape = self._shapes.get(row["id"], ("", None))
        return bool(digest == row["digest"])

    def _holds(self, row: Mapping[str, Any], coordinate: Coordinate) -> bool:
        if row["id"] not in self._shapes:
            return False  # removed between the two statements
        _digest, shape = self._shapes[row["id"]]
        return bool(shapely.intersects_xy(shape, coordinate.lon, coordinate.lat))


def _district(row: Mapping[str, Any]) -> District:
    return District(level=row["level"], fips=row["fips"], name=row["name"], state=row["state"])

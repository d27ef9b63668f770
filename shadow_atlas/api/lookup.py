"""Find the districts at a coordinate: boxes from the database, exact shapes from shapely."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import shapely

from shadow_atlas.api import statements
from shadow_atlas.api.coordinates import Coordinate
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


class DistrictLookup:
    """Look coordinates up.

    Every lookup asks the database, which alone knows what areas there are. Shapes are parsed
    once per area and digest, so a new edition of an area is never answered from an old shape.

    Args:
        database: Where the areas are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shapes: dict[str, tuple[str, shapely.Geometry]] = {}

    async def find(self, coordinate: Coordinate) -> tuple[District, ...]:
        """Return the districts at a coordinate, state first; none outside the coverage.

        A coordinate on a common border belongs to the area with the lowest code.
        """
        async with self._database.connection() as connection:
            candidates = await connection.fetch(
                statements.CANDIDATES_AT_POINT, coordinate.lon, coordinate.lat
            )
            await self._learn_shapes(connection, candidates)
        holding = [row for row in candidates if self._holds(row, coordinate)]
        by_level = {row["level"]: row for row in reversed(holding)}  # the lowest id wins
        return tuple(_district(by_level[level]) for level in LEVELS if level in by_level)

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

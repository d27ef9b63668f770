#!/usr/bin/env python3
"""Build the geometry that ships in `shadow_atlas/geometry/data/` from us-atlas.

Usage, from the root of the repository:

    npm pack us-atlas@3.0.1 && tar xzf us-atlas-3.0.1.tgz
    python scripts/build_geometry.py package/counties-10m.json

The input is a TopoJSON of the Census Bureau's cartographic boundary files, edition 2017.
The output is one gzipped file of GeoJSON features, one a line, for the Census areas, and one
for the legislative fixtures: districts made by grouping real counties. Same input, same bytes.
"""

import gzip
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from shapely import MultiPolygon, Polygon, set_precision, union_all
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from shadow_atlas.geometry.states import LEGISLATIVE_LEVELS, STATES, STATES_BY_FIPS, State

Point = tuple[float, float]
Feature = dict[str, Any]

SOURCE_SHA256 = "145aaf5d1433352a6a1d8e86b5f149c7c653f9171baf14aaf75ee66575def1b0"
DECIMALS = 6  # 0.1 m, far below the grid of the source (about 100 to 400 m)
SMALLEST_RING = 4  # three corners, and the first of them again
COLLAPSED = frozenset({"51610"})  # Falls Church, 5 km2: a line on the grid of the source
DATA = Path(__file__).resolve().parent.parent / "shadow_atlas" / "geometry" / "data"


def decode_arcs(topology: Mapping[str, Any]) -> list[list[Point]]:
    """Turn the delta-coded integer arcs of a quantized TopoJSON into degrees.

    Returns:
        One list of (lon, lat) per arc, in the order of the file.

    Source: TopoJSON format specification, sections 2.1.2 and 2.1.3.
    """
    (scale_x, scale_y), (offset_x, offset_y) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )
    arcs = []
    for deltas in topology["arcs"]:
        x = y = 0
        points = []
        for step_x, step_y in deltas:
            x, y = x + step_x, y + step_y
            points.append(
                (
                    round(x * scale_x + offset_x, DECIMALS),
                    round(y * scale_y + offset_y, DECIMALS),
                )
            )
        arcs.append(points)
    return arcs


def decode_ring(indexes: Sequence[int], arcs: Sequence[Sequence[Point]]) -> list[Point]:
    """Join arcs into one closed ring; a negative index is the reversed arc of its complement.

    >>> decode_ring([0, ~1], [[(0, 0), (1, 0)], [(0, 0), (0, 1), (1, 0)]])
    [(0, 0), (1, 0), (0, 1), (0, 0)]
    """
    ring: list[Point] = []
    for index in indexes:
        points = list(arcs[index]) if index >= 0 else list(reversed(arcs[~index]))
        ring.extend(points if not ring else points[1:])  # consecutive arcs share one point
    return ring


def decode_geometry(geometry: Mapping[str, Any], arcs: Sequence[Sequence[Point]]) -> MultiPolygon:
    """Build a valid multipolygon from a Polygon or MultiPolygon object of a topology.

    Raises:
        ValueError: If the object is of another type.
    """
    kind = geometry["type"]
    if kind not in {"Polygon", "MultiPolygon"}:
        raise ValueError(f"expected a Polygon or a MultiPolygon, got {kind!r}")
    polygons = [geometry["arcs"]] if kind == "Polygon" else geometry["arcs"]
    parts = []
    for indexes_of_rings in polygons:
        shell, *holes = (decode_ring(indexes, arcs) for indexes in indexes_of_rings)
        if len(shell) >= SMALLEST_RING:  # simplification collapsed some islets to a line
            parts.append(Polygon(shell, [hole for hole in holes if len(hole) >= SMALLEST_RING]))
    return as_multipolygon(union_all([part.buffer(0) for part in parts]))


def as_multipolygon(area: BaseGeometry) -> MultiPolygon:
    """Wrap a lone polygon, and give rings one start and one direction.

    Raises:
        ValueError: If there are parts that are not polygons.
    """
    normal = area.normalize()
    if isinstance(normal, MultiPolygon):
        return normal
    if isinstance(normal, Polygon):
        return MultiPolygon([normal])
    raise ValueError(f"expected polygons, got a {area.geom_type}")


def census_features(topology: Mapping[str, Any]) -> Iterator[Feature]:
    """Yield state and county features of the shipped states, ordered by level and code."""
    arcs = decode_arcs(topology)
    for level, collection in (("state", "states"), ("county", "counties")):
        objects = topology["objects"][collection]["geometries"]
        for item in sorted(objects, key=lambda each: each["id"]):
            state = STATES_BY_FIPS.get(item["id"][:2])
            if state is not None and item["id"] not in COLLAPSED:
                yield feature(
                    level=level,
                    fips=item["id"],
                    name=item["properties"]["name"],
                    state=state,
                    area=decode_geometry(item, arcs),
                )


def district_features(counties: Sequence[Feature]) -> Iterator[Feature]:
    """Yield the legislative fixtures of every state that has seats."""
    for state in STATES:
        own = [each for each in counties if each["properties"]["state"] == state.postal]
        for level in LEGISLATIVE_LEVELS:
            if level in state.seats:
                yield from group_counties(own, state=state, level=level)


def group_counties(counties: Sequence[Feature], *, state: State, level: str) -> Iterator[Feature]:
    """Group counties from west to east into as many districts as there are seats.

    A county is never split, so a state with more seats than counties gets one per county.
    """
    ordered = sorted(counties, key=_from_west_to_east)
    groups = min(state.seats[level], len(ordered))
    digits = 2 if level == "congressional" else 3  # as in the Census Bureau's own codes
    for index in range(groups):
        members = ordered[index * len(ordered) // groups : (index + 1) * len(ordered) // groups]
        merged = union_all([shape(each["geometry"]) for each in members])
        yield feature(
            level=level,
            fips=f"{state.fips}{index + 1:0{digits}d}",
            name=f"{state.name} {level.replace('_', ' ')} district {index + 1}",
            state=state,
            area=as_multipolygon(merged),
        )


def feature(*, level: str, fips: str, name: str, state: State, area: MultiPolygon) -> Feature:
    """Write one GeoJSON feature.

    Raises:
        ValueError: If the area is empty or not valid.
    """
    rounded = as_multipolygon(set_precision(area, 10.0**-DECIMALS))
    if rounded.is_empty or not rounded.is_valid:
        raise ValueError(f"{level} {fips}: the geometry is empty or not valid")
    return {
        "type": "Feature",
        "properties": {"level": level, "fips": fips, "name": name, "state": state.postal},
        "geometry": _rounded_json(mapping(rounded)),
    }


def write(path: Path, features: Sequence[Feature]) -> None:
    """Write features one a line; no time stamp, so that the same input gives the same bytes."""
    lines = (json.dumps(each, separators=(",", ":"), ensure_ascii=False) for each in features)
    text = "".join(chain.from_iterable((line, "\n") for line in lines))
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


def main(arguments: Sequence[str]) -> int:
    """Read the TopoJSON named on the command line and write both data files."""
    if len(arguments) != 1:
        sys.stderr.write("usage: build_geometry.py COUNTIES_10M_JSON\n")
        return 2
    source = Path(arguments[0]).read_bytes()
    digest = hashlib.sha256(source).hexdigest()
    if digest != SOURCE_SHA256:
        sys.stderr.write(f"{arguments[0]}: sha256 {digest}, expected {SOURCE_SHA256}\n")
        return 1
    census = list(census_features(json.loads(source)))
    counties = [each for each in census if each["properties"]["level"] == "county"]
    DATA.mkdir(parents=True, exist_ok=True)
    write(DATA / "census.ndjson.gz", census)
    write(DATA / "districts.ndjson.gz", list(district_features(counties)))
    return 0


def _from_west_to_east(county: Feature) -> tuple[float, str]:
    return shape(county["geometry"]).centroid.x, county["properties"]["fips"]


def _rounded_json(geometry: Any) -> Any:
    # `mapping` gives tuples and the grid's binary noise; JSON wants lists and short numbers.
    return {
        "type": geometry["type"],
        "coordinates": [
            [[[round(x, DECIMALS), round(y, DECIMALS)] for x, y in ring] for ring in polygon]
            for polygon in geometry["coordinates"]
        ],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Read the counties of one state, and refuse what is not sound; pure.

A portal that mixes up states, or the axes, sends perfectly formed GeoJSON. So beyond the form,
codes are compared with the state that was asked for, shapes with what a shape may be, and the
whole set with the one that it is to replace.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from shadow_atlas.database.areas import area_digest
from shadow_atlas.geometry import STATES_BY_POSTAL, Feature
from shadow_atlas.portal_queries import MalformedAnswer, check_boundaries

_CODE = re.compile(r"[0-9]{5}")
_NAME_LENGTH_MAX = 100  # the longest name of a county has 33 letters
PROBLEMS_SHOWN = 5
COUNT_SHIFT_MAX = 0.1
"""Share of a state's counties that may come or go at once, though one always may.

The largest real change in decades was Connecticut's, from eight counties to nine planning regions
in 2022; a page that was lost takes more.
"""

Box = tuple[float, float, float, float]  # min_lon, min_lat, max_lon, max_lat, degrees


@dataclass(frozen=True, slots=True, kw_only=True)
class County:
    """A county that may be looked up in.

    Args:
        feature: Code, name, state and coordinates.
        digest: Fingerprint of all of it.
        shape: The same coordinates, prepared for lookups.
    """

    feature: Feature
    digest: str
    shape: shapely.Geometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the database holds now.

    Args:
        counts: Number of counties by state.
        boxes: Box around each state.
    """

    counts: Mapping[str, int]
    boxes: Mapping[str, Box]


def read_counties(state: str, features: Sequence[object]) -> tuple[County, ...]:
    """Return the counties of one state, ordered by code.

    Args:
        state: Postal code of the state that was asked for.
        features: What the portal sent, all pages together.

    Raises:
        MalformedAnswer: If one of them is not a sound county of this state.
    """
    check_boundaries(features)
    problems: list[str] = []
    counties: list[County] = []
    for feature in features:
        if not isinstance(feature, dict):
            raise MalformedAnswer(f"{state}: expected an object")
        county = _county(state, feature)
        problems.extend(_problems(county))
        counties.append(county)
    _refuse(f"counties of {state}", problems)
    return tuple(sorted(counties, key=lambda county: county.feature.fips))


def check_replaces(counties: Iterable[County], stored: Stored) -> None:
    """Refuse a set that cannot be the successor of what is stored.

    Raises:
        MalformedAnswer: If a code appears twice, a state lost or won more counties than states
            do, or a county lies outside of its state.
    """
    found = list(counties)
    _refuse("the set", [*_repeated(found), *_shifted(found, stored), *_astray(found, stored)])


def _county(state: str, feature: Mapping[str, Any]) -> County:
    properties: Mapping[str, Any] = feature["properties"]
    geometry: Mapping[str, Any] = feature["geometry"]
    nested = geometry["coordinates"]
    polygons = nested if geometry["type"] == "MultiPolygon" else [nested]
    area = Feature(
        level="county",
        fips=str(properties.get("GEOID")),
        # TIGERweb writes "Dane County" into NAME and "Dane" into BASENAME.
        name=str(properties.get("BASENAME") or properties.get("NAME") or ""),
        state=state,
        # RFC 7946 allows a height, which a lookup has no use for.
        polygons=[[[place[:2] for place in ring] for ring in polygon] for polygon in polygons],
    )
    shape = shapely.from_geojson(json.dumps(area.geometry()))
    shapely.prepare(shape)
    return County(feature=area, digest=area_digest(area), shape=shape)


def _problems(county: County) -> Iterator[str]:
    area = county.feature
    fips = STATES_BY_POSTAL[area.state].fips
    if not _CODE.fullmatch(area.fips):
        yield f"expected a code of 5 digits, got {area.fips[: PROBLEMS_SHOWN * 2]!r}"
    elif not area.fips.startswith(fips):
        yield f"{area.fips} does not begin with {fips}"
    if not 0 < len(area.name) <= _NAME_LENGTH_MAX:
        yield f"{area.fips} has no name of at most {_NAME_LENGTH_MAX} characters"
    if not shapely.is_valid(county.shape):
        yield f"{area.fips}: {shapely.is_valid_reason(county.shape)}"
    elif shapely.area(county.shape) <= 0.0:
        yield f"{area.fips} has no area"


def _repeated(counties: Sequence[County]) -> Iterator[str]:
    for fips, count in Counter(county.feature.fips for county in counties).items():
        if count > 1:
            yield f"{fips} appears {count} times"


def _shifted(counties: Sequence[County], stored: Stored) -> Iterator[str]:
    found = Counter(county.feature.state for county in counties)
    for state in sorted({*found, *stored.counts}):
        before = stored.counts.get(state, 0)
        allowed = max(1.0, COUNT_SHIFT_MAX * before)
        if not found[state] or (before and abs(found[state] - before) > allowed):
            yield f"{state} has {found[state]} counties, it had {before}"


def _astray(counties: Sequence[County], stored: Stored) -> Iterator[str]:
    for county in counties:
        box = stored.boxes.get(county.feature.state)
        if box is not None and not _touch(county.feature.bounds, box):
            yield f"{county.feature.fips} lies outside of {county.feature.state}"


def _touch(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _refuse(what: str, problems: Sequence[str]) -> None:
    if problems:
        rest = len(problems) - PROBLEMS_SHOWN
        more = f"; and {rest} more" if rest > 0 else ""
        raise MalformedAnswer(f"{what}: {'; '.join(problems[:PROBLEMS_SHOWN])}{more}")

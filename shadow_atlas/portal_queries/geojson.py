"""Check that what a portal sent is boundary data that can be stored and looked up in.

Structure, ranges and identity are checked (RFC 7946); whether rings cross themselves is
not, because published boundaries do here and there and are in use all the same.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

from shadow_atlas.portal_queries.malformed import MalformedAnswer

RING_POSITIONS_MIN = 4  # RFC 7946, section 3.1.6: three corners and the first one again
PROBLEMS_SHOWN = 5  # a layer that is wrong throughout must not fill the log
LONGITUDE_MAX = 180.0
LATITUDE_MAX = 90.0
_NUMBERS = (int, float)
# ArcGIS publishes field names as they are stored, Socrata in lower case.
IDENTIFIER_FIELDS = ("GEOID", "geoid")


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """A checked feature collection.

    Args:
        text: The collection as canonical JSON: sorted by identifier, no spaces.
        feature_count: Number of features, at least 1.
        sha256: Digest of `text` in hex; equal content has an equal digest.
    """

    text: str
    feature_count: int
    sha256: str


def check_boundaries(features: Sequence[object]) -> Boundaries:
    """Check every feature and return the collection in its canonical form.

    Raises:
        MalformedAnswer: If there are no features, or one is not a polygon with an identifier
            of its own; the message names the first few problems with their place.
    """
    if not features:
        raise MalformedAnswer("no features: a layer that exists has at least one")
    problems: list[str] = []
    checked: dict[str, Mapping[str, object]] = {}
    for index, feature in enumerate(features):
        found = [f"feature {index}: {problem}" for problem in _feature_problems(feature)]
        if found or not isinstance(feature, Mapping):
            problems.extend(found)
            continue
        identifier = _identifier(feature)
        if identifier in checked:
            problems.append(f"feature {index}: identifier {identifier} appears twice")
        checked[identifier] = feature
    if problems:
        raise MalformedAnswer(_summary(problems))
    return _canonical(checked)


def check_text(text: str) -> Boundaries:
    """Parse and check a whole feature collection.

    Raises:
        MalformedAnswer: As `check_boundaries`, and if the text is not a feature collection.
    """
    document = parse_json(text.encode())
    features = document.get("features") if isinstance(document, Mapping) else None
    if not isinstance(features, list):
        raise MalformedAnswer("expected a collection with a list of features")
    return check_boundaries(features)


def parse_json(body: bytes) -> object:
    """Parse a body strictly: UTF-8, no NaN, no bottomless nesting.

    Raises:
        MalformedAnswer: If it is not JSON.

    >>> parse_json(b'{"type": "FeatureCollection"}')
    {'type': 'FeatureCollection'}
    """
    if not body:
        raise MalformedAnswer("the body is empty")
    try:
        document: object = json.loads(body, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise MalformedAnswer("the body is nested too deeply") from error
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are both of this kind
        raise MalformedAnswer(f"the body is not JSON: {error}") from error
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _canonical(checked: Mapping[str, Mapping[str, object]]) -> Boundaries:
    members = [checked[identifier] for identifier in sorted(checked)]
    text = json.dumps(
        {"type": "FeatureCollection", "features": members}, sort_keys=True, separators=(",", ":")
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Boundaries(text=text, feature_count=len(members), sha256=digest)


def _summary(problems: Sequence[str]) -> str:
    rest = len(problems) - PROBLEMS_SHOWN
    shown = "; ".join(problems[:PROBLEMS_SHOWN])
    return f"{shown}; and {rest} more" if rest > 0 else shown


def _identifier(feature: Mapping[str, object]) -> str:
    properties = feature.get("properties")
    if isinstance(properties, Mapping):
        for field in IDENTIFIER_FIELDS:
            value = properties.get(field)
            if isinstance(value, str) and value:
                return value
    return ""


def _feature_problems(feature: object) -> Iterator[str]:
    if not isinstance(feature, Mapping):
        yield f"expected an object, got {type(feature).__name__}"
        return
    if feature.get("type") != "Feature":
        yield f"expected type 'Feature', got {feature.get('type')!r}"
    if not _identifier(feature):
        yield f"no identifier in properties, expected one of {', '.join(IDENTIFIER_FIELDS)}"
    yield from _geometry_problems(feature.get("geometry"))


def _geometry_problems(geometry: object) -> Iterator[str]:
    if not isinstance(geometry, Mapping):
        yield "no geometry"
        return
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Polygon":
        yield from _polygon_problems(coordinates)
    elif kind == "MultiPolygon":
        if not isinstance(coordinates, list) or not coordinates:
            yield "a MultiPolygon without polygons"
            return
        for polygon in coordinates:
            yield from _polygon_problems(polygon)
    else:
        yield f"expected a Polygon or MultiPolygon, got {kind!r}"


def _polygon_problems(polygon: object) -> Iterator[str]:
    if not isinstance(polygon, list) or not polygon:
        yield "a Polygon without rings"
        return
    for ring in polygon:
        yield from _ring_problems(ring)


def _ring_problems(ring: object) -> Iterator[str]:
    if not isinstance(ring, list) or len(ring) < RING_POSITIONS_MIN:
        yield f"a ring with fewer than {RING_POSITIONS_MIN} positions"
        return
    if not all(map(_is_position, ring)):
        yield "a position that is not a longitude and a latitude in degrees"
        return
    if ring[0] != ring[-1]:
        yield "a ring that is not closed"


def _is_position(position: object) -> bool:
    """Say whether this is a longitude and a latitude; most of the time of a check goes in here.

    A comparison is false for NaN and for infinities, so nothing else has to ask for them.
    """
    if not isinstance(position, list) or len(position) < 2:  # noqa: PLR2004 - longitude, latitude
        return False
    longitude, latitude = position[0], position[1]
    # The exact types, because a bool is an int in Python and would pass as 0 or 1 degree.
    if type(longitude) not in _NUMBERS or type(latitude) not in _NUMBERS:
        return False
    is_on_earth: bool = (
        -LONGITUDE_MAX <= longitude <= LONGITUDE_MAX and -LATITUDE_MAX <= latitude <= LATITUDE_MAX
    )
    return is_on_earth

"""Which counties are sound, and which set can replace another: pure rules."""

import copy
import json
from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from shadow_atlas.boundaries.counties import Stored, check_replaces, read_counties
from shadow_atlas.geometry import STATES_BY_POSTAL, load_features
from shadow_atlas.portal_queries import MalformedAnswer
from shadow_atlas.upstreams.boundaries import ShippedBoundaries

SHIPPED = ShippedBoundaries(("CT", "DC", "WI"))
CONNECTICUT = load_features("CT", "county")
BOW_TIE = [[[-89.0, 43.0], [-88.0, 44.0], [-88.0, 43.0], [-89.0, 44.0], [-89.0, 43.0]]]
LINE = [[[-89.0, 43.0], [-88.0, 43.0], [-87.0, 43.0], [-89.0, 43.0]]]
SQUARE = [[[-90.0, 43.0], [-89.0, 43.0], [-89.0, 44.0], [-90.0, 43.0]]]


def published(state):
    """Return what TIGERweb sends for a state, free to be changed."""
    return copy.deepcopy(list(SHIPPED.features(state=state, layer="county")))


def stored(**counts):
    boxes = {state: load_features(state, "state")[0].bounds for state in counts}
    return Stored(counts=counts, boxes=boxes)


def test_sound_counties_keep_codes_names_and_shapes():
    counties = read_counties("WI", published("WI"))

    assert [county.feature for county in counties] == load_features("WI", "county")


def test_equal_counties_have_equal_digests_and_others_do_not():
    first, again = read_counties("CT", published("CT")), read_counties("CT", published("CT"))
    renamed = published("CT")
    renamed[0]["properties"]["NAME"] = "Elsewhere"

    other = read_counties("CT", renamed)

    assert [one.digest for one in first] == [one.digest for one in again]
    assert sum(a.digest != b.digest for a, b in zip(first, other, strict=True)) == 1


# Twenty orders of eight counties, and no deadline: a busy machine may take its time.
@settings(max_examples=20, deadline=None)
@given(order=st.permutations(range(8)))
def test_the_order_of_a_portal_is_immaterial(order):
    features = SHIPPED.features(state="CT", layer="county")

    counties = read_counties("CT", [features[index] for index in order])

    assert [one.feature for one in counties] == CONNECTICUT


def test_the_name_without_the_word_county_is_preferred():
    features = published("DC")
    features[0]["properties"] |= {"BASENAME": "District", "NAME": "District County"}

    (county,) = read_counties("DC", features)

    assert county.feature.name == "District"


def test_a_polygon_and_heights_are_read():
    features = published("DC")
    tall = [[[*place, 12.5] for place in ring] for ring in SQUARE]
    features[0]["geometry"] = {"type": "Polygon", "coordinates": tall}

    (county,) = read_counties("DC", features)

    assert county.feature.polygons == [SQUARE]


def spoilt(**changes):
    properties = {**published("WI")[0]["properties"], **changes.get("properties", {})}
    geometry = changes.get("geometry", published("WI")[0]["geometry"])
    return {"type": "Feature", "properties": properties, "geometry": geometry}


@pytest.mark.parametrize(
    ("feature", "problem"),
    [
        (spoilt(properties={"GEOID": "5500"}), "5 digits"),
        (spoilt(properties={"GEOID": "55O01"}), "5 digits"),
        (spoilt(properties={"GEOID": "55001; DROP TABLE areas"}), "5 digits"),
        (spoilt(properties={"GEOID": "08001"}), "08001 does not begin with 55"),
        (spoilt(properties={"NAME": ""}), "no name"),
        (spoilt(properties={"NAME": "x" * 101}), "no name"),
        (spoilt(geometry={"type": "Polygon", "coordinates": BOW_TIE}), "Self-intersection"),
        (spoilt(geometry={"type": "Polygon", "coordinates": LINE}), "55001"),
        (spoilt(geometry={"type": "Point", "coordinates": [0, 0]}), "expected a Polygon"),
        (spoilt(geometry=None), "no geometry"),
        ("no object", "expected an object"),
    ],
)
def test_an_unsound_county_is_refused_with_its_reason(feature, problem):
    features = [*published("WI")[1:], feature]

    with pytest.raises(MalformedAnswer, match=problem):
        read_counties("WI", features)


def test_a_state_without_counties_is_refused():
    with pytest.raises(MalformedAnswer, match="no features"):
        read_counties("WI", [])


def test_problems_beyond_the_first_few_are_counted():
    features = published("WI")
    for feature in features:
        feature["properties"]["NAME"] = ""

    with pytest.raises(MalformedAnswer, match="; and 67 more"):
        read_counties("WI", features)


def test_a_set_replaces_itself():
    check_replaces(read_counties("WI", published("WI")), stored(WI=72))


@pytest.mark.parametrize(
    ("state", "before", "is_allowed"),
    [
        ("CT", 8, True),
        ("CT", 9, True),  # one may always come or go
        ("CT", 7, True),
        ("CT", 10, False),
        ("CT", 6, False),
        ("WI", 79, True),  # a tenth
        ("WI", 81, False),
        ("WI", 65, False),
        ("DC", 0, True),  # nothing is stored: any number is new
    ],
)
def test_a_state_keeps_about_as_many_counties(state, before, is_allowed):
    counties = read_counties(state, published(state))

    if is_allowed:
        check_replaces(counties, stored(**{state: before}))
    else:
        with pytest.raises(MalformedAnswer, match=f"{state} has .* it had {before}"):
            check_replaces(counties, stored(**{state: before}))


def test_a_state_that_is_missing_is_noticed():
    with pytest.raises(MalformedAnswer, match="DC has 0 counties, it had 1"):
        check_replaces(read_counties("CT", published("CT")), stored(CT=8, DC=1))


def test_a_county_that_appears_twice_is_noticed():
    counties = read_counties("DC", published("DC"))

    with pytest.raises(MalformedAnswer, match="11001 appears 2 times"):
        check_replaces([*counties, *counties], stored(DC=1))


def test_coordinates_in_the_wrong_order_lie_outside_of_their_state():
    text = json.dumps(published("DC"))
    features = json.loads(text)
    for polygon in features[0]["geometry"]["coordinates"]:
        for ring in polygon:
            ring[:] = [[lat, lon] for lon, lat in ring]

    counties = read_counties("DC", features)  # a latitude of -77 is one

    with pytest.raises(MalformedAnswer, match="11001 lies outside of DC"):
        check_replaces(counties, stored(DC=1))


def test_everything_that_is_shipped_is_sound():
    everything = ShippedBoundaries(tuple(STATES_BY_POSTAL))
    counties = [
        county
        for state in STATES_BY_POSTAL
        for county in read_counties(state, everything.features(state=state, layer="county"))
    ]

    check_replaces(counties, stored(**Counter(county.feature.state for county in counties)))

"""Validation of what portals send."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from shadow_atlas.geometry import load_features
from shadow_atlas.portal_queries.geojson import check_boundaries, check_text, parse_json
from shadow_atlas.portal_queries.malformed import MalformedAnswer

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]

few = settings(max_examples=30, deadline=None)  # drawing nested rings is the slow part

longitudes = st.floats(min_value=-180, max_value=180)
latitudes = st.floats(min_value=-90, max_value=90)
positions = st.tuples(longitudes, latitudes).map(list)
rings = st.lists(positions, min_size=3, max_size=8).map(lambda corners: [*corners, corners[0]])
polygons = st.lists(rings, min_size=1, max_size=3)
geometries = st.one_of(
    polygons.map(lambda coordinates: {"type": "Polygon", "coordinates": coordinates}),
    st.lists(polygons, min_size=1, max_size=3).map(
        lambda coordinates: {"type": "MultiPolygon", "coordinates": coordinates}
    ),
)
collections = st.dictionaries(
    st.text(min_size=1, max_size=6), geometries, min_size=1, max_size=6
).map(lambda shapes: [_feature(identifier, shape) for identifier, shape in shapes.items()])


def _feature(identifier: str = "55001", geometry: Any = None) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"GEOID": identifier},
        "geometry": geometry or {"type": "Polygon", "coordinates": [SQUARE]},
    }


@few
@given(features=collections)
def test_every_sound_collection_is_accepted_in_full(features):
    boundaries = check_boundaries(features)

    assert boundaries.feature_count == len(features)


@few
@given(features=collections, data=st.data())
def test_the_order_of_features_does_not_change_the_digest(features, data):
    shuffled = data.draw(st.permutations(features))

    assert check_boundaries(shuffled) == check_boundaries(features)


@few
@given(features=collections)
def test_checking_the_canonical_text_again_changes_nothing(features):
    boundaries = check_boundaries(features)

    assert check_text(boundaries.text) == boundaries


@few
@given(features=collections, data=st.data())
def test_one_broken_feature_spoils_the_collection(features, data):
    broken = data.draw(
        st.sampled_from(
            [
                None,
                {},
                _feature(geometry={"type": "Point", "coordinates": [0.0, 0.0]}),
                _feature(geometry={"type": "Polygon", "coordinates": [SQUARE[:-1]]}),
            ]
        )
    )
    index = data.draw(st.integers(min_value=0, max_value=len(features)))

    with pytest.raises(MalformedAnswer):
        check_boundaries([*features[:index], broken, *features[index:]])


@pytest.mark.parametrize(
    ("geometry", "problem"),
    [
        ({"type": "Polygon", "coordinates": []}, "without rings"),
        ({"type": "Polygon", "coordinates": None}, "without rings"),
        ({"type": "MultiPolygon", "coordinates": []}, "without polygons"),
        ({"type": "Polygon", "coordinates": [SQUARE[:3]]}, "fewer than 4 positions"),
        ({"type": "Polygon", "coordinates": [[*SQUARE[:3], [9.0, 9.0]]]}, "not closed"),
        ({"type": "Polygon", "coordinates": [[[0.0], *SQUARE[1:]]]}, "not a longitude"),
        ({"type": "Polygon", "coordinates": [[[181.0, 0.0], *SQUARE[1:]]]}, "not a longitude"),
        ({"type": "Polygon", "coordinates": [[[0.0, 91.0], *SQUARE[1:]]]}, "not a longitude"),
        ({"type": "Polygon", "coordinates": [[[True, 0.0], *SQUARE[1:]]]}, "not a longitude"),
        ({"type": "Polygon", "coordinates": [[["0", "0"], *SQUARE[1:]]]}, "not a longitude"),
        ({"type": "Polygon", "coordinates": [[[float("nan"), 0.0], *SQUARE[1:]]]}, "longitude"),
        ({"type": "LineString", "coordinates": SQUARE}, "expected a Polygon"),
        ("text", "no geometry"),
    ],
)
def test_a_broken_geometry_is_named_with_its_place(geometry, problem):
    with pytest.raises(MalformedAnswer, match=f"feature 1: .*{problem}"):
        check_boundaries([_feature("1"), _feature("2", geometry)])


def test_two_features_must_not_share_an_identifier():
    with pytest.raises(MalformedAnswer, match="feature 1: identifier 7 appears twice"):
        check_boundaries([_feature("7"), _feature("7")])


@pytest.mark.parametrize("properties", [None, {}, {"GEOID": ""}, {"GEOID": 7}, {"name": "x"}])
def test_a_feature_needs_an_identifier(properties):
    with pytest.raises(MalformedAnswer, match="no identifier"):
        check_boundaries([{**_feature(), "properties": properties}])


def test_an_empty_collection_is_no_layer():
    with pytest.raises(MalformedAnswer, match="no features"):
        check_boundaries([])


def test_a_layer_that_is_wrong_throughout_does_not_fill_the_log():
    with pytest.raises(MalformedAnswer, match="and 995 more") as caught:
        check_boundaries([None] * 1000)

    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "empty"),
        (b"{", "not JSON"),
        (b"<html>", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"x": NaN}', "NaN is not JSON"),
        (b'{"x": Infinity}', "Infinity is not JSON"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_body_that_is_not_json_is_malformed(body, problem):
    with pytest.raises(MalformedAnswer, match=problem):
        parse_json(body)


@pytest.mark.parametrize("text", ["[]", "{}", '{"features": {}}', "7"])
def test_a_text_that_is_no_collection_is_malformed(text):
    with pytest.raises(MalformedAnswer):
        check_text(text)


@given(body=st.binary(max_size=200))
def test_parsing_raises_nothing_but_what_it_promises(body):
    try:
        document = parse_json(body)
    except MalformedAnswer:
        return
    json.dumps(document)


@pytest.mark.parametrize("state", ["WI", "DC"])
def test_real_counties_are_accepted(state):
    counties = load_features(state, "county")
    features = [_feature(county.fips, county.geometry()) for county in counties]

    assert check_boundaries(features).feature_count == len(counties)

"""The shipped files: complete, valid, and true for published coordinates."""

from functools import cache

import pytest
import shapely

from shadow_atlas.geometry import (
    LEGISLATIVE_LEVELS,
    STATES,
    STATES_BY_FIPS,
    STATES_BY_POSTAL,
    load_census_features,
    load_features,
)
from tests.shadow_atlas.cities import CITIES

# Counties and equivalents per state in 2017: Census Bureau, "Number of counties by state".
COUNTIES_IN_2017 = {
    "CA": 58, "CO": 64, "CT": 8, "DC": 1, "FL": 67, "HI": 5, "IL": 102, "LA": 64, "MA": 14,
    "MD": 24, "MI": 83, "MO": 115, "NE": 93, "NV": 17, "NY": 62, "TX": 254, "VA": 133, "WA": 39,
    "WI": 72,
}  # fmt: skip
SQUARE_DEGREES_OF_A_SLIVER = 1e-4


@cache
def census():
    features = load_census_features()
    shapes = [shapely.MultiPolygon(_shells(feature)) for feature in features]
    return list(zip(features, shapes, strict=True))


def _shells(feature):
    return [(polygon[0], polygon[1:]) for polygon in feature.polygons]


@pytest.mark.parametrize("city", CITIES, ids=lambda city: city.name)
def test_published_coordinate_lies_in_its_true_county_alone(city):
    holding = [
        (feature.level, feature.fips, feature.name)
        for feature, shape in census()
        if shapely.intersects_xy(shape, city.lon, city.lat)
    ]

    state = STATES_BY_POSTAL[city.state]
    assert holding == [
        ("state", state.fips, state.name),
        ("county", city.county_fips, city.county),
    ]


def test_every_county_of_2017_is_shipped_but_falls_church():
    counts = dict.fromkeys(COUNTIES_IN_2017, 0)
    for feature, _ in census():
        counts[feature.state] += feature.level == "county"

    assert counts == {**COUNTIES_IN_2017, "VA": COUNTIES_IN_2017["VA"] - 1}


def test_every_shape_is_valid_and_inside_its_box():
    for feature, shape in census():
        assert shape.is_valid, feature.id
        assert shape.bounds == feature.bounds


def test_codes_begin_with_the_code_of_their_state():
    for feature, _ in census():
        assert STATES_BY_FIPS[feature.fips[:2]].postal == feature.state


def test_states_carry_the_names_of_the_table():
    names = {feature.fips: feature.name for feature, _ in census() if feature.level == "state"}

    assert names == {state.fips: state.name for state in STATES}


@pytest.mark.parametrize(
    "state", [state for state in STATES if state.seats], ids=lambda s: s.postal
)
@pytest.mark.parametrize("level", LEGISLATIVE_LEVELS)
def test_districts_divide_the_state_without_gap_or_overlap(state, level):
    districts = load_features(state.postal, level)
    counties = load_features(state.postal, "county")

    assert len(districts) == min(state.seats.get(level, 0), len(counties))
    if districts:
        shapes = [shapely.MultiPolygon(_shells(each)) for each in districts]
        union = shapely.union_all([shapely.MultiPolygon(_shells(each)) for each in counties])
        assert sum(shape.area for shape in shapes) == pytest.approx(union.area, rel=1e-9)
        assert shapely.union_all(shapes).symmetric_difference(union).area < (
            SQUARE_DEGREES_OF_A_SLIVER
        )


def test_chambers_that_do_not_exist_have_no_districts():
    assert load_features("NE", "state_house") == []
    assert load_features("DC", "state_house") == []


def test_unknown_state_is_named_in_the_error():
    with pytest.raises(ValueError, match="state='ZZ' must be one of CA, CO"):
        load_features("ZZ", "county")


def test_feature_writes_geojson():
    feature = load_features("DC", "county")[0]

    assert feature.geojson() == {
        "type": "Feature",
        "properties": {
            "level": "county", "fips": "11001", "name": "District of Columbia", "state": "DC",
        },
        "geometry": {"type": "MultiPolygon", "coordinates": feature.polygons},
    }  # fmt: skip

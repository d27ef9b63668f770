"""Coordinates that strangers send are read, or refused with 400; nothing else happens."""

import pytest
from hypothesis import given, strategies as st

from shadow_atlas.answers import Refusal
from shadow_atlas.api.coordinates import Coordinate

LATS = st.floats(-90, 90)
LONS = st.floats(-180, 180)


@given(lat=LATS, lon=LONS)
def test_every_place_on_earth_is_read_back_exactly(lat, lon):
    assert Coordinate.parse(lat=repr(lat), lon=repr(lon)) == Coordinate(lat=lat, lon=lon)


@given(lat=st.text() | st.none(), lon=st.text() | st.none())
def test_any_text_is_a_place_or_a_refusal(lat, lon):
    outcome = read(lat, lon)

    assert isinstance(outcome, Coordinate) or outcome == (400, "BAD_COORDINATES")


def read(lat, lon):
    try:
        return Coordinate.parse(lat=lat, lon=lon)
    except Refusal as refusal:
        return refusal.status, refusal.code


@given(lat=LATS, lon=LONS, other_lat=LATS, other_lon=LONS)
def test_cache_keys_are_equal_for_equal_places_only(lat, lon, other_lat, other_lon):
    place = Coordinate(lat=lat, lon=lon)
    other = Coordinate(lat=other_lat, lon=other_lon)

    assert (place.cache_key == other.cache_key) == (place == other)


def test_both_zeros_are_one_place():
    assert Coordinate(lat=0.0, lon=-0.0).cache_key == Coordinate(lat=-0.0, lon=0.0).cache_key


@pytest.mark.parametrize("lat", [90.00001, -90.00001, float("nan"), float("inf")])
def test_place_off_the_earth_cannot_be_built(lat):
    with pytest.raises(ValueError, match=r"lat must be in \[-90, 90\]"):
        Coordinate(lat=lat, lon=0.0)

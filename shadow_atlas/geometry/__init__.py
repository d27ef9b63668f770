"""Ship the shapes of states and counties, and legislative fixtures made from them."""

from shadow_atlas.geometry.features import (
    Feature,
    load_census_features,
    load_district_features,
    load_features,
)
from shadow_atlas.geometry.states import (
    CENSUS_LEVELS,
    LEGISLATIVE_LEVELS,
    STATES,
    STATES_BY_FIPS,
    STATES_BY_POSTAL,
    Level,
    State,
)

__all__ = [
    "CENSUS_LEVELS",
    "LEGISLATIVE_LEVELS",
    "STATES",
    "STATES_BY_FIPS",
    "STATES_BY_POSTAL",
    "Feature",
    "Level",
    "State",
    "load_census_features",
    "load_district_features",
    "load_features",
]

"""Name the states whose geometry is shipped, and how many districts each legislature has.

Sources: state codes are ANSI INCITS 38 (FIPS); seats are those of the 2022 apportionment for
Congress and of the state legislatures in 2024 (National Conference of State Legislatures).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

Level = Literal["state", "county", "congressional", "state_senate", "state_house"]

CENSUS_LEVELS: Final[tuple[Level, ...]] = ("state", "county")
LEGISLATIVE_LEVELS: Final[tuple[Level, ...]] = ("congressional", "state_senate", "state_house")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state or the District of Columbia.

    Args:
        postal: Two-letter code.
        fips: Two-digit code.
        name: Name as the Census Bureau writes it.
        seats: Districts per legislative level; empty where no fixture needs them.
    """

    postal: str
    fips: str
    name: str
    seats: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


def _seats(*, congressional: int, state_senate: int, state_house: int | None) -> Mapping[str, int]:
    seats = {"congressional": congressional, "state_senate": state_senate}
    if state_house is not None:
        seats["state_house"] = state_house
    return MappingProxyType(seats)


STATES: Final[tuple[State, ...]] = (
    State(postal="CA", fips="06", name="California"),
    State(
        postal="CO",
        fips="08",
        name="Colorado",
        seats=_seats(congressional=8, state_senate=35, state_house=65),
    ),
    State(
        postal="CT",
        fips="09",
        name="Connecticut",
        seats=_seats(congressional=5, state_senate=36, state_house=151),
    ),
    State(
        postal="DC",
        fips="11",
        name="District of Columbia",
        # One delegate; the Census Bureau files the eight wards of the Council as its upper
        # chamber and no lower one.
        seats=_seats(congressional=1, state_senate=8, state_house=None),
    ),
    State(postal="FL", fips="12", name="Florida"),
    State(postal="HI", fips="15", name="Hawaii"),
    State(postal="IL", fips="17", name="Illinois"),
    State(postal="LA", fips="22", name="Louisiana"),
    State(postal="MA", fips="25", name="Massachusetts"),
    State(postal="MD", fips="24", name="Maryland"),
    State(postal="MI", fips="26", name="Michigan"),
    State(postal="MO", fips="29", name="Missouri"),
    State(
        postal="NE",
        fips="31",
        name="Nebraska",
        # The only legislature with a single chamber, filed as the upper one.
        seats=_seats(congressional=3, state_senate=49, state_house=None),
    ),
    State(postal="NV", fips="32", name="Nevada"),
    State(
        postal="NY",
        fips="36",
        name="New York",
        seats=_seats(congressional=26, state_senate=63, state_house=150),
    ),
    State(postal="TX", fips="48", name="Texas"),
    State(postal="VA", fips="51", name="Virginia"),
    State(postal="WA", fips="53", name="Washington"),
    State(
        postal="WI",
        fips="55",
        name="Wisconsin",
        seats=_seats(congressional=8, state_senate=33, state_house=99),
    ),
)
"""The states of the stand-ins (those with seats) and of the published test coordinates."""

STATES_BY_POSTAL: Final[Mapping[str, State]] = MappingProxyType(
    {state.postal: state for state in STATES}
)
STATES_BY_FIPS: Final[Mapping[str, State]] = MappingProxyType(
    {state.fips: state for state in STATES}
)

"""What can be extracted, and from where: states, layers, portals and their query forms.

The six states are those whose geometry the stand-ins serve. Each state has one primary
portal; TIGERweb, the Census Bureau's own service, has all of them and is the fallback.
"""

from dataclasses import dataclass
from enum import StrEnum

from shadow_atlas.geometry.states import STATES_BY_POSTAL


class Layer(StrEnum):
    """A kind of boundary that a portal publishes for its state."""

    CONGRESSIONAL = "congressional"
    STATE_SENATE = "state_senate"
    STATE_HOUSE = "state_house"
    COUNTY = "county"


class Form(StrEnum):
    """How a portal wants to be asked."""

    ARCGIS_FEATURE_SERVER = "arcgis_feature_server"
    ARCGIS_MAP_SERVER = "arcgis_map_server"
    SOCRATA = "socrata"
    TIGERWEB = "tigerweb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """One upstream: its service name, its query form and the states that it serves.

    Args:
        name: Name of the upstream, which is also the right side of its link.
        form: The query form that it understands.
        states: Postal codes of the states that it serves.

    Raises:
        ValueError: If a state is unknown.
    """

    name: str
    form: Form
    states: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = sorted(set(self.states) - set(STATES_BY_POSTAL))
        if unknown:
            raise ValueError(f"portal {self.name!r}: unknown states {unknown}")

    def endpoint(self, state: str) -> str:
        """Name the service that answers for `state`: the thing that a circuit breaker guards.

        A state's service fails on its own, so each has its own breaker. TIGERweb is one
        service for all states, and has one.

        >>> PORTALS[0].endpoint("NE"), TIGER.endpoint("NE")
        ('portal_wi/NE', 'tiger')
        """
        return self.name if self.form is Form.TIGERWEB else f"{self.name}/{state}"


PORTALS = (
    Portal(name="portal_wi", form=Form.ARCGIS_FEATURE_SERVER, states=("WI", "NE")),
    Portal(name="portal_co", form=Form.ARCGIS_MAP_SERVER, states=("CO", "DC")),
    Portal(name="portal_ny", form=Form.SOCRATA, states=("NY", "CT")),
)
STATES = tuple(state for portal in PORTALS for state in portal.states)
"""Postal codes of the states that can be extracted."""

TIGER = Portal(name="tiger", form=Form.TIGERWEB, states=STATES)


def primary_portal(state: str) -> Portal:
    """Return the portal that publishes the boundaries of `state` first-hand.

    Raises:
        ValueError: If no portal serves the state.
    """
    for portal in PORTALS:
        if state in portal.states:
            return portal
    raise ValueError(f"no portal serves state {state!r}; known states: {', '.join(STATES)}")


def has_layer(state: str, layer: Layer) -> bool:
    """Say whether `state` has boundaries of this kind at all.

    Nebraska's legislature and the Council of the District of Columbia have one chamber, so
    there is no house layer to extract: such a task is skipped, it does not fail.

    >>> has_layer("NE", Layer.STATE_HOUSE), has_layer("NE", Layer.STATE_SENATE)
    (False, True)
    """
    return layer is Layer.COUNTY or layer.value in STATES_BY_POSTAL[state].seats

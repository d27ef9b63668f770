"""Describe the four stand-ins: which portal each one plays, and what it publishes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shadow_atlas.geometry.states import LEGISLATIVE_LEVELS, STATES, STATES_BY_POSTAL

LAYERS = (*LEGISLATIVE_LEVELS, "county")

Feature = Mapping[str, object]
Document = dict[str, object]


class Form(StrEnum):
    """The interface that a portal publishes."""

    ARCGIS_FEATURE_SERVER = "FeatureServer"
    ARCGIS_MAP_SERVER = "MapServer"
    SOCRATA = "socrata"
    TIGERWEB = "tigerweb"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalKind:
    """One stand-in.

    Args:
        form: The interface that it publishes.
        states: Postal codes of the states that it serves.
        record_count_max: Most features in one page, as a real server of this kind is set up.
    """

    form: Form
    states: tuple[str, ...]
    record_count_max: int = 1000  # ArcGIS Enterprise's default maxRecordCount

    @property
    def marks_capped_pages(self) -> bool:
        """Say whether a client can tell a page that was capped from the last one."""
        return self.form is not Form.SOCRATA


PORTAL_KINDS: Mapping[str, PortalKind] = {
    "portal_wi": PortalKind(form=Form.ARCGIS_FEATURE_SERVER, states=("WI", "NE")),
    "portal_co": PortalKind(form=Form.ARCGIS_MAP_SERVER, states=("CO", "DC")),
    "portal_ny": PortalKind(form=Form.SOCRATA, states=("NY", "CT")),
    # Counties of every shipped state; districts only of those with legislatures in the geometry.
    # TIGERweb states maxRecordCount 100000 for its layers.
    "tiger": PortalKind(
        form=Form.TIGERWEB,
        states=tuple(state.postal for state in STATES),
        record_count_max=100_000,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The part of a layer that a request asks for.

    Args:
        state: Postal code of the state.
        layer: One of `LAYERS`.
        offset: Features to pass over, at least 0.
        count: Features wanted, None for as many as the server gives.
    """

    state: str
    layer: str
    offset: int = 0
    count: int | None = None


class QueryRefused(Exception):
    """Says why a portal does not answer a query with features.

    Args:
        message: What the portal says.
        code: Its code; the form decides whether that is the HTTP status.
    """

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


class BoundarySource(Protocol):
    """Holds the geometry that a stand-in publishes."""

    def features(self, *, state: str, layer: str) -> Sequence[Feature]:
        """Return GeoJSON features with GEOID and NAME, always in the same order."""
        ...


class PortalForm(Protocol):
    """Reads queries and writes answers as one kind of portal does."""

    def locate(self, path: str, params: Mapping[str, str]) -> tuple[str | None, str | None]:
        """Return the state and layer that a request names, as far as it does."""
        ...

    def select(self, path: str, params: Mapping[str, str]) -> Selection:
        """Read a query.

        Raises:
            QueryRefused: If the portal has no such layer, or cannot read the query.
        """
        ...

    def page(
        self, selection: Selection, features: Sequence[Feature], *, record_count_max: int
    ) -> Document:
        """Return the answer that holds the selected part of `features`."""
        ...

    def refusal(self, message: str, *, code: int) -> tuple[int, Document]:
        """Return the HTTP status and document by which this kind of portal reports an error."""
        ...


def publishes(state: str, layer: str) -> bool:
    """Say whether there is such a layer at all: one chamber has no second one's districts.

    >>> publishes("NE", "state_senate"), publishes("NE", "state_house")
    (True, False)
    """
    return layer == "county" or layer in STATES_BY_POSTAL[state].seats


def whole_param(params: Mapping[str, str], name: str) -> int | None:
    """Read a parameter that counts.

    Raises:
        QueryRefused: If it is not a whole number of at least 0.
    """
    text = params.get(name)
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdecimal()):
        raise QueryRefused(f"'{name}' must be a whole number, got {text!r}", code=400)
    return int(text)

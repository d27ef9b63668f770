"""Ask a portal in its own form, and read a page of its answer. Pure: no input or output.

Source: Esri, "Query (Feature Service/Layer)" and "Query (Map Service/Layer)", ArcGIS REST
API; Census Bureau, TIGERweb REST services; Socrata, "Queries using SODA".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from shadow_atlas.errors import UpstreamStatus, status_error
from shadow_atlas.geometry.states import STATES_BY_POSTAL
from shadow_atlas.portal_queries.catalogue import Form, Layer
from shadow_atlas.portal_queries.malformed import MalformedAnswer

SOCRATA_DATASETS = {
    Layer.CONGRESSIONAL: "atls-cd19",
    Layer.STATE_SENATE: "atls-su24",
    Layer.STATE_HOUSE: "atls-sl24",
    Layer.COUNTY: "atls-cnty",
}
"""Four-by-four identifiers of the data sets, one for each layer, each with both states."""

TIGERWEB_SERVICES = {
    Layer.CONGRESSIONAL: "TIGERweb/Legislative/MapServer/0",
    Layer.STATE_SENATE: "TIGERweb/Legislative/MapServer/1",
    Layer.STATE_HOUSE: "TIGERweb/Legislative/MapServer/2",
    Layer.COUNTY: "TIGERweb/State_County/MapServer/1",
}
"""Map services of tigerweb.geo.census.gov that hold the layers."""

MESSAGE_LENGTH_MAX = 200  # enough to recognise an error, short enough for a log line


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One request to a portal, without its address.

    Args:
        path: Absolute path.
        params: Query parameters in the order in which they are sent.
    """

    path: str
    params: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a portal's answer.

    Args:
        features: The page's members, unchecked beyond being a list.
        has_more: Whether the portal holds further pages.
    """

    features: tuple[object, ...]
    has_more: bool


class QueryForm(Protocol):
    """Builds the query of one page and reads the answer."""

    def query(self, *, state: str, layer: Layer, offset: int, page_size: int) -> Query:
        """Return the request for up to `page_size` features from `offset` on."""
        ...

    def read_page(self, document: object, *, page_size: int) -> Page:
        """Return what the parsed answer holds.

        Raises:
            UpstreamStatus: If the answer is the portal's way to report an error.
            MalformedAnswer: If it is neither an error nor a feature collection.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcGisForm:
    """The ArcGIS REST API, as a feature server or a map server publishes it.

    Args:
        server: `FeatureServer` or `MapServer`.
    """

    server: str

    def query(self, *, state: str, layer: Layer, offset: int, page_size: int) -> Query:
        """Return the request for one page of the state's own service."""
        path = f"/arcgis/rest/services/{state}/{layer}/{self.server}/0/query"
        return Query(path=path, params=_arcgis_params("1=1", offset, page_size))

    def read_page(self, document: object, *, page_size: int) -> Page:  # noqa: ARG002 - the portal marks the end itself
        """Return the page; `exceededTransferLimit` says whether another one follows."""
        return _read_arcgis_page(document)


@dataclass(frozen=True, slots=True, kw_only=True)
class TigerWebForm:
    """TIGERweb: one ArcGIS map service for the whole country, filtered by state code."""

    def query(self, *, state: str, layer: Layer, offset: int, page_size: int) -> Query:
        """Return the request for one page of the state's part of a national layer."""
        path = f"/arcgis/rest/services/{TIGERWEB_SERVICES[layer]}/query"
        where = f"STATE='{STATES_BY_POSTAL[state].fips}'"
        return Query(path=path, params=_arcgis_params(where, offset, page_size))

    def read_page(self, document: object, *, page_size: int) -> Page:  # noqa: ARG002 - as ArcGisForm
        """Return the page, as an ArcGIS server marks it."""
        return _read_arcgis_page(document)


@dataclass(frozen=True, slots=True, kw_only=True)
class SocrataForm:
    """The Socrata Open Data API (SODA 2.1)."""

    def query(self, *, state: str, layer: Layer, offset: int, page_size: int) -> Query:
        """Return the request for one page; without an order, pages may overlap."""
        return Query(
            path=f"/resource/{SOCRATA_DATASETS[layer]}.geojson",
            params=(
                ("$where", f"state='{state}'"),
                ("$order", ":id"),
                ("$limit", str(page_size)),
                ("$offset", str(offset)),
            ),
        )

    def read_page(self, document: object, *, page_size: int) -> Page:
        """Return the page; a full one may have a successor, for SODA does not say."""
        members = _as_object(document)
        if members.get("error") is True:
            message = str(members.get("message", ""))[:MESSAGE_LENGTH_MAX]
            raise status_error(f"{members.get('code')}: {message}", status=400)
        features = _features(members)
        return Page(features=features, has_more=len(features) >= page_size)


def query_form(form: Form) -> QueryForm:
    """Return the builder and reader of `form`."""
    match form:
        case Form.ARCGIS_FEATURE_SERVER:
            return ArcGisForm(server="FeatureServer")
        case Form.ARCGIS_MAP_SERVER:
            return ArcGisForm(server="MapServer")
        case Form.SOCRATA:
            return SocrataForm()
        case Form.TIGERWEB:
            return TigerWebForm()


def _arcgis_params(where: str, offset: int, page_size: int) -> tuple[tuple[str, str], ...]:
    return (
        ("where", where),
        ("outFields", "*"),
        ("returnGeometry", "true"),
        ("outSR", "4326"),  # GeoJSON is WGS 84 (RFC 7946); a portal's own projection often is not
        ("orderByFields", "OBJECTID"),  # without an order, pages may overlap
        ("f", "geojson"),
        ("resultOffset", str(offset)),
        ("resultRecordCount", str(page_size)),
    )


def _read_arcgis_page(document: object) -> Page:
    members = _as_object(document)
    if "error" in members:
        raise _arcgis_error(members["error"])
    properties = members.get("properties")
    # Servers before 10.8 put the mark beside the features, later ones into `properties`.
    marks = [members, properties] if isinstance(properties, Mapping) else [members]
    return Page(
        features=_features(members),
        has_more=any(mark.get("exceededTransferLimit") is True for mark in marks),
    )


def _arcgis_error(error: object) -> UpstreamStatus | MalformedAnswer:
    members = error if isinstance(error, Mapping) else {}
    code = members.get("code")
    if not isinstance(code, int) or isinstance(code, bool):
        return MalformedAnswer(f"an error without a code: {str(error)[:MESSAGE_LENGTH_MAX]}")
    message = str(members.get("message", ""))[:MESSAGE_LENGTH_MAX]
    return status_error(f"error {code} inside an answer: {message}", status=code)


def _as_object(document: object) -> Mapping[str, object]:
    if not isinstance(document, dict):
        raise MalformedAnswer(f"expected a JSON object, got {type(document).__name__}")
    return document


def _features(members: Mapping[str, object]) -> tuple[object, ...]:
    if members.get("type") != "FeatureCollection":
        raise MalformedAnswer(f"expected a FeatureCollection, got type={members.get('type')!r}")
    features = members.get("features")
    if not isinstance(features, list):
        raise MalformedAnswer(f"expected a list of features, got {type(features).__name__}")
    return tuple(features)

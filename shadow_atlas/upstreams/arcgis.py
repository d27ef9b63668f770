"""Play an ArcGIS server: a state's feature server or map server, and TIGERweb.

Errors come inside an HTTP 200, as ArcGIS Server sends them when `f` asks for JSON.
Source: Esri, ArcGIS REST API, "Query (Feature Service/Layer)"; Census Bureau, TIGERweb.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shadow_atlas.geometry.states import STATES_BY_FIPS, STATES_BY_POSTAL
from shadow_atlas.upstreams.portals import (
    Document,
    Feature,
    PortalKind,
    QueryRefused,
    Selection,
    publishes,
    whole_param,
)

TIGERWEB_LAYERS = {
    "TIGERweb/Legislative/MapServer/0": "congressional",
    "TIGERweb/Legislative/MapServer/1": "state_senate",
    "TIGERweb/Legislative/MapServer/2": "state_house",
    "TIGERweb/State_County/MapServer/1": "county",
}
_SERVICE_PATH = re.compile(r"/arcgis/rest/services/(?P<service>.+)/query")
_STATE_SERVICE = re.compile(r"(?P<state>[A-Z]{2})/(?P<layer>\w+)/(?P<server>\w+)/0")
_STATE_FILTER = re.compile(r"STATE\s*=\s*'(?P<fips>\d{2})'")


@dataclass(frozen=True, slots=True, kw_only=True)
class StateServer:
    """A state's own server: one service for each of its layers.

    Args:
        kind: Its form and the states that it serves.
    """

    kind: PortalKind

    def locate(self, path: str, params: Mapping[str, str]) -> tuple[str | None, str | None]:  # noqa: ARG002 - the path says it all
        """Return the state and layer in the name of the service."""
        service = _SERVICE_PATH.fullmatch(path)
        named = _STATE_SERVICE.fullmatch(service["service"]) if service else None
        if named is None or named["server"] != self.kind.form:
            return None, None
        return named["state"], named["layer"]

    def select(self, path: str, params: Mapping[str, str]) -> Selection:
        """Read a query; `where` selects everything, because the service is the layer."""
        state, layer = self.locate(path, params)
        if state not in self.kind.states or layer is None or not publishes(state, layer):
            raise QueryRefused(f"Service {path} not found", code=404)
        if params.get("where", "").replace(" ", "") != "1=1":
            raise QueryRefused("'where' clause is invalid", code=400)
        return _selection(state, layer, params)

    def page(
        self, selection: Selection, features: Sequence[Feature], *, record_count_max: int
    ) -> Document:
        """Return one page of the layer."""
        return _page(selection, features, record_count_max)

    def refusal(self, message: str, *, code: int) -> tuple[int, Document]:
        """Return the error as ArcGIS reports it."""
        return _refusal(message, code)


@dataclass(frozen=True, slots=True, kw_only=True)
class TigerWeb:
    """The Census Bureau's server: national layers, filtered by state code.

    Args:
        kind: The states whose geometry is at hand.
    """

    kind: PortalKind

    def locate(self, path: str, params: Mapping[str, str]) -> tuple[str | None, str | None]:
        """Return the state in the filter and the layer in the path."""
        service = _SERVICE_PATH.fullmatch(path)
        layer = TIGERWEB_LAYERS.get(service["service"]) if service else None
        named = _STATE_FILTER.fullmatch(params.get("where", "").strip())
        state = STATES_BY_FIPS.get(named["fips"]) if named else None
        return (state.postal if state else None), layer

    def select(self, path: str, params: Mapping[str, str]) -> Selection:
        """Read a query; what is not at hand would have no features, so it is refused."""
        state, layer = self.locate(path, params)
        if layer is None:
            raise QueryRefused(f"Service {path} not found", code=404)
        if state not in self.kind.states or not _is_at_hand(state, layer):
            raise QueryRefused("'where' clause is invalid", code=400)
        return _selection(state, layer, params)

    def page(
        self, selection: Selection, features: Sequence[Feature], *, record_count_max: int
    ) -> Document:
        """Return one page of the state's part of the layer."""
        return _page(selection, features, record_count_max)

    def refusal(self, message: str, *, code: int) -> tuple[int, Document]:
        """Return the error as ArcGIS reports it."""
        return _refusal(message, code)


def _is_at_hand(state: str, layer: str) -> bool:
    """Say whether the shipped geometry can answer, be it that there are no features."""
    return layer == "county" or bool(STATES_BY_POSTAL[state].seats)


def _selection(state: str, layer: str, params: Mapping[str, str]) -> Selection:
    if params.get("f") != "geojson":
        raise QueryRefused("this server answers f=geojson only", code=400)
    return Selection(
        state=state,
        layer=layer,
        offset=whole_param(params, "resultOffset") or 0,
        count=whole_param(params, "resultRecordCount"),
    )


def _page(selection: Selection, features: Sequence[Feature], record_count_max: int) -> Document:
    wanted = record_count_max if selection.count is None else selection.count
    end = selection.offset + min(wanted, record_count_max)
    chosen = [
        _feature(feature, number, selection.state)
        for number, feature in enumerate(features[selection.offset : end], selection.offset + 1)
    ]
    document: Document = {"type": "FeatureCollection", "features": chosen}
    if end < len(features):
        document["properties"] = {"exceededTransferLimit": True}
    return document


def _feature(feature: Feature, number: int, state: str) -> Document:
    properties = feature["properties"]
    named = dict(properties) if isinstance(properties, Mapping) else {}
    return {
        "type": "Feature",
        "id": number,
        "geometry": feature["geometry"],
        "properties": {"OBJECTID": number, **named, "STATE": STATES_BY_POSTAL[state].fips},
    }


def _refusal(message: str, code: int) -> tuple[int, Document]:
    error = {"code": code, "message": message, "details": []}
    return 200, {"error": error}

"""Play a Socrata portal: data sets with a four-by-four identifier, each with all its states.

Source: Socrata, "Queries using SODA" and "Response Codes & Headers".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shadow_atlas.upstreams.portals import (
    Document,
    Feature,
    PortalKind,
    QueryRefused,
    Selection,
    publishes,
    whole_param,
)

DATASETS = {
    "atls-cd19": "congressional",
    "atls-su24": "state_senate",
    "atls-sl24": "state_house",
    "atls-cnty": "county",
}
ERROR_CODES = {400: "query.compiler.malformed", 404: "dataset.missing", 429: "rate-limit-exceeded"}
LIMIT_DEFAULT = 1000  # SODA's own default
_RESOURCE_PATH = re.compile(r"/resource/(?P<dataset>[a-z0-9]{4}-[a-z0-9]{4})\.geojson")
_STATE_FILTER = re.compile(r"state\s*=\s*'(?P<state>[A-Z]{2})'")


@dataclass(frozen=True, slots=True, kw_only=True)
class SocrataPortal:
    """A portal of the SODA 2.1 kind, which honours any `$limit`.

    Args:
        kind: The states that it serves.
    """

    kind: PortalKind

    def locate(self, path: str, params: Mapping[str, str]) -> tuple[str | None, str | None]:
        """Return the state in the filter and the layer that the data set holds."""
        resource = _RESOURCE_PATH.fullmatch(path)
        layer = DATASETS.get(resource["dataset"]) if resource else None
        named = _STATE_FILTER.fullmatch(params.get("$where", "").strip())
        return (named["state"] if named else None), layer

    def select(self, path: str, params: Mapping[str, str]) -> Selection:
        """Read a query; a filter by state is required, for nobody wants two states mixed."""
        state, layer = self.locate(path, params)
        if layer is None:
            raise QueryRefused("Not found", code=404)
        if state not in self.kind.states or not publishes(state, layer):
            raise QueryRefused(f"Could not parse SoQL query {params.get('$where')!r}", code=400)
        limit = whole_param(params, "$limit")
        return Selection(
            state=state,
            layer=layer,
            offset=whole_param(params, "$offset") or 0,
            count=LIMIT_DEFAULT if limit is None else limit,
        )

    def page(
        self,
        selection: Selection,
        features: Sequence[Feature],
        *,
        record_count_max: int,  # noqa: ARG002 - SODA 2.1 has no maximum
    ) -> Document:
        """Return one page; nothing in it says whether another one follows."""
        end = None if selection.count is None else selection.offset + selection.count
        chosen = [_row(feature, selection.state) for feature in features[selection.offset : end]]
        return {"type": "FeatureCollection", "features": chosen}

    def refusal(self, message: str, *, code: int) -> tuple[int, Document]:
        """Return the error as SODA reports it: in the HTTP status, and in the document."""
        name = ERROR_CODES.get(code, "internal")
        return code, {"code": name, "error": True, "message": message}


def _row(feature: Feature, state: str) -> Document:
    properties = feature["properties"]
    named = dict(properties) if isinstance(properties, Mapping) else {}
    columns = {name.lower(): value for name, value in named.items()}
    return {
        "type": "Feature",
        "geometry": feature["geometry"],
        "properties": {**columns, "state": state},
    }

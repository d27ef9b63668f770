"""Make the snapshots that the gateways serve, from the shipped county geometry.

They are made when a gateway starts and are the same bytes each time, so their names can stand in
system files. Between them they have every form that a reader has to know.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shadow_atlas.content_addressing import BuiltFile, Cid, Layout, build_file
from shadow_atlas.geometry import STATES_BY_POSTAL, Feature, load_features

_SMALL: Final = 8 * 1024  # bytes a leaf, so that counties of one state fill several


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How one snapshot is cut and named.

    Args:
        state: Whose counties it holds, by postal code.
        layout: How it is cut into blocks.
        spelling: How its name is written down.
    """

    state: str
    layout: Layout
    spelling: Callable[[Cid], str]


FORMS: Final[Sequence[Form]] = (
    # One raw block, named by its bare hash.
    Form(state="DC", layout=Layout(), spelling=str),
    # One dag-pb node that holds the file itself, in the spelling of version 0.
    Form(state="CT", layout=Layout(has_raw_leaves=False), spelling=Cid.version_0),
    # A root and raw leaves: what `ipfs add --cid-version=1` makes of a larger file.
    Form(state="WI", layout=Layout(chunk_bytes=_SMALL), spelling=str),
    # A root and node leaves, linked by version 0: what `ipfs add` makes of it.
    Form(
        state="NE",
        layout=Layout(chunk_bytes=_SMALL, has_raw_leaves=False),
        spelling=Cid.version_0,
    ),
    # Two levels below the root, named in base58btc.
    Form(state="CO", layout=Layout(chunk_bytes=_SMALL, links_max=3), spelling=Cid.base58),
    Form(state="NY", layout=Layout(chunk_bytes=_SMALL * 2), spelling=str),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One published file.

    Args:
        state: Whose counties it holds.
        name: Its CID in the spelling in which it is published.
        content: Its bytes.
        file: The same as blocks.
    """

    state: str
    name: str
    content: bytes
    file: BuiltFile


def make_snapshots(forms: Sequence[Form] = FORMS) -> tuple[Snapshot, ...]:
    """Make the snapshots, in the order of `forms`."""
    return tuple(_make(form) for form in forms)


def _make(form: Form) -> Snapshot:
    features = [_published(county) for county in load_features(form.state, "county")]
    document = {"type": "FeatureCollection", "features": features}
    content = json.dumps(document, separators=(",", ":")).encode()
    file = build_file(content, form.layout)
    return Snapshot(state=form.state, name=form.spelling(file.root), content=content, file=file)


def _published(county: Feature) -> dict[str, object]:
    return {
        "type": "Feature",
        "properties": {
            "GEOID": county.fips,
            "NAME": county.name,
            "STATEFP": STATES_BY_POSTAL[county.state].fips,
        },
        "geometry": county.geometry(),
    }

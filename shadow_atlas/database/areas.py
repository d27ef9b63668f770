"""Turn areas into rows: one form for the shipped geometry and for what an upstream sent."""

import hashlib
import json
from typing import Any

from shadow_atlas.geometry import Feature


def area_digest(feature: Feature) -> str:
    """Return a fingerprint of all that the database stores of an area."""
    text = json.dumps(feature.geojson(), separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def area_row(feature: Feature, *, digest: str) -> tuple[Any, ...]:
    """Return the values of an area in the order of `UPSERT_AREA`.

    Args:
        feature: The area.
        digest: Its fingerprint.
    """
    return (
        feature.id,
        feature.level,
        feature.fips,
        feature.name,
        feature.state,
        *feature.bounds,
        digest,
        json.dumps(feature.geometry(), separators=(",", ":")),
    )

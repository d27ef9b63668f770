"""Keep the county boundaries of the api fresh: fetch, check, and replace them as one set."""

from shadow_atlas.boundaries.county_walk import COVERED_STATES
from shadow_atlas.boundaries.refreshes import Refresh
from shadow_atlas.boundaries.updates import BoundaryUpdates
from shadow_atlas.boundaries.versions import BoundaryVersion, CurrentBoundaries

__all__ = [
    "COVERED_STATES",
    "BoundaryUpdates",
    "BoundaryVersion",
    "CurrentBoundaries",
    "Refresh",
]

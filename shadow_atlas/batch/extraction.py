"""Hold the values that pass between the extractor, the orchestrator and the queue."""

from dataclasses import dataclass, field
from enum import StrEnum

from shadow_atlas.portal_queries.catalogue import Layer
from shadow_atlas.portal_queries.geojson import Boundaries


class Source(StrEnum):
    """Where boundaries came from, in the words of every answer's source header."""

    PRIMARY = "primary"  # the state's own portal
    DEGRADED = "degraded"  # TIGERweb: sound, but not the portal's newest
    STALE_CACHE = "stale_cache"  # the last good extraction, from the database


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """The boundaries of one layer of one state.

    Args:
        state: Postal code.
        layer: Kind of boundary.
        source: Where they came from.
        portal: Name of the upstream that sent them, now or when they were stored.
        boundaries: The checked features.
        attempts: Attempts that reached for an upstream in this call, all portals together.
        age_s: Seconds since they were extracted; 0 unless the source is `stale_cache`.
    """

    state: str
    layer: Layer
    source: Source
    portal: str
    boundaries: Boundaries
    attempts: int
    age_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Call:
    """One call through the stacks, as upstreams see it.

    It counts attempts for each portal across everything that is tried, so that no two requests
    of a call bear the same number, whichever layer repeats them.

    Args:
        call_id: Identifier that is forwarded to every upstream.
    """

    call_id: str
    _attempts: dict[str, int] = field(default_factory=dict)

    @property
    def attempts(self) -> int:
        """Attempts so far, over all portals."""
        return sum(self._attempts.values())

    def next_attempt(self, portal: str) -> int:
        """Count one more attempt at `portal`, and return its number from 1."""
        number = self._attempts.get(portal, 0) + 1
        self._attempts[portal] = number
        return number

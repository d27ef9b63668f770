"""Keep the last good extraction of each layer, without a write for each of them."""

from typing import Protocol

import structlog

from shadow_atlas.batch.extraction import Extraction
from shadow_atlas.clock import Clock
from shadow_atlas.portal_queries.catalogue import Layer

RENEWAL_S = 60.0  # a stored age right to a minute is enough, and a write per call too much


class ExtractionStore(Protocol):
    """Where extractions are kept; raises when it cannot be reached."""

    async def remember(self, extraction: Extraction) -> None:
        """Store the last good extraction of its state and layer."""
        ...


class Memory:
    """Write an extraction down when it is new, or when the written one has aged.

    A caller gets its boundaries whether or not they could be written down.

    Args:
        store: Where they are kept.
        clock: Measures the age.
        renewal_s: Age at which unchanged boundaries are written down again.
    """

    def __init__(self, *, store: ExtractionStore, clock: Clock, renewal_s: float) -> None:
        self._store = store
        self._clock = clock
        self._renewal_s = renewal_s
        self._kept: dict[tuple[str, Layer], tuple[str, float]] = {}

    async def keep(self, extraction: Extraction) -> None:
        """Write `extraction` down if need be; a store that is away costs a log line."""
        key = (extraction.state, extraction.layer)
        digest, kept_s = self._kept.get(key, ("", 0.0))
        now_s = self._clock.monotonic()
        if digest == extraction.boundaries.sha256 and now_s - kept_s < self._renewal_s:
            return
        try:
            await self._store.remember(extraction)
        except Exception as error:  # noqa: BLE001 - the extraction itself is good
            structlog.get_logger().warning("cannot keep an extraction", error=repr(error))
            return
        self._kept[key] = (extraction.boundaries.sha256, now_s)

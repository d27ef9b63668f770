"""Put the boundary updates of an api together; it needs to have been told where TIGERweb is."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from resilience import Listener
from shadow_atlas.boundaries import BoundaryUpdates, CurrentBoundaries
from shadow_atlas.boundaries.county_source import CountySource
from shadow_atlas.boundaries.refreshes import RefreshRecord
from shadow_atlas.boundaries.store import BoundaryStore
from shadow_atlas.boundaries.updates import Pace, Shapes
from shadow_atlas.database import Database
from shadow_atlas.errors import classify
from shadow_atlas.portal_queries import PortalClient
from shadow_atlas.protection import Stack, StackFactory
from shadow_atlas.settings import BoundarySettings
from shadow_atlas.surroundings import Surroundings

BODY_LIMIT_BYTES = 32 * 1024 * 1024  # the counties of Texas, unsimplified, are about 20 MiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What updates act on.

    Args:
        database: Where the set in force is.
        shapes: Takes the parsed shapes of a new set.
        current: Told of a new version.
    """

    database: Database
    shapes: Shapes
    current: CurrentBoundaries


class Updating:
    """Boundary updates, with the stack and the client that they use.

    Args:
        settings: Where TIGERweb is, and when refreshes are due.
        surroundings: What the service is handed.
        target: What is updated.
        resilience: Builds the stack around refreshes.
        listener: Hears what the stack announces.
        note_status: Told the HTTP status of each attempt.
    """

    def __init__(
        self,
        settings: BoundarySettings,
        surroundings: Surroundings,
        *,
        target: Target,
        resilience: StackFactory,
        listener: Listener,
        note_status: Callable[..., None],
    ) -> None:
        self._client = PortalClient(
            address=settings.tiger,
            timeout_s=settings.request_timeout_s,
            body_limit_bytes=BODY_LIMIT_BYTES,
            clock=surroundings.clock,
        )
        self.stack: Stack = resilience(
            settings.stack,
            clock=surroundings.clock,
            rng=random.Random(surroundings.rng.getrandbits(64)),
            classifier=classify,
            listener=listener,
        )
        self.updates = BoundaryUpdates(
            source=CountySource(client=self._client, stack=self.stack, note_status=note_status),
            store=BoundaryStore(
                target.database, lease_s=settings.lease_s, write_s=settings.write_s
            ),
            shapes=target.shapes,
            current=target.current,
            record=_record(surroundings, target),
            pace=_pace(settings, surroundings),
        )

    async def close(self) -> None:
        """Close the connections to TIGERweb."""
        await self._client.close()


def _record(surroundings: Surroundings, target: Target) -> RefreshRecord:
    return RefreshRecord(
        events=surroundings.event_sink,
        registry=surroundings.metrics_registry,
        current=target.current,
    )


def _pace(settings: BoundarySettings, surroundings: Surroundings) -> Pace:
    return Pace(
        clock=surroundings.clock,
        rng=random.Random(surroundings.rng.getrandbits(64)),
        refresh_s=settings.refresh_s,
        retry_s=settings.retry_s,
    )

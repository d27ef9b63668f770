"""Put the parts of the ipfs service together; two of them in one process share nothing."""

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from resilience import ChaosFaultInjector, Sample
from shadow_atlas.content_addressing import Cid
from shadow_atlas.errors import classify
from shadow_atlas.health import health_body
from shadow_atlas.ipfs.gateways import build_gateways, links
from shadow_atlas.ipfs.settings import IpfsSettings
from shadow_atlas.ipfs.stores import FolderStore, MemoryStore, SnapshotStore
from shadow_atlas.ipfs.syncing import SnapshotSync, Synced
from shadow_atlas.layer_events import LayerEvents, without_attempts
from shadow_atlas.levels import service_level
from shadow_atlas.protection import StackFactory, StackKit
from shadow_atlas.surroundings import Surroundings


class Ipfs:
    """What one ipfs service consists of.

    Args:
        settings: Addresses, protection, limits.
        surroundings: What it is handed.
        resilience: Builds every stack.
    """

    def __init__(
        self, settings: IpfsSettings, surroundings: Surroundings, *, resilience: StackFactory
    ) -> None:
        self._service = settings.service
        layer_events = LayerEvents(surroundings.event_sink, links=links(settings.service.name))
        kit = StackKit(
            create=resilience,
            clock=surroundings.clock,
            rng=surroundings.rng,
            classifier=classify,
            listener=layer_events,
        )
        self.injector = ChaosFaultInjector(
            enabled=settings.service.chaos_token is not None,
            rng=random.Random(surroundings.rng.getrandbits(64)),
            clock=surroundings.clock,
            listener=layer_events,
        )
        self._gateways = build_gateways(settings, kit=kit, clock=surroundings.clock)
        self._sync = SnapshotSync(
            gateways=self._gateways,
            # Its attempts are calls of the gateways' stacks, which record the ones that count.
            stack=kit.build(settings.sync, listener=without_attempts(layer_events)),
            limits=settings.limits,
            chaos=self.injector,
            events=surroundings.event_sink,
            note_status=layer_events.note_status,
        )
        self.store = _store(settings)

    @asynccontextmanager
    async def run(self, _app: FastAPI) -> AsyncIterator[None]:
        """Close the connections to the gateways at the end."""
        try:
            yield
        finally:
            for gateway in self._gateways:
                await gateway.client.close()

    async def sync(self, cid: Cid, *, call_id: str) -> Synced:
        """Fetch a snapshot, and return once it is kept.

        Raises:
            OSError: If it cannot be kept.
            Exception: As `SnapshotSync.sync` does.
        """
        synced = await self._sync.sync(cid, call_id=call_id)
        await self.store.put(cid, synced.content)
        return synced

    def health(self) -> dict[str, Any]:
        """Write the body of `/v1/health`; it is ready at once: what it has, it serves alone."""
        level = service_level(
            gates=(self._sync.stack,), endpoints=[gateway.stack for gateway in self._gateways]
        )
        return health_body(self._service, level=level, samples=self.samples(), is_ready=True)

    def samples(self) -> Iterator[Sample]:
        """Yield the metrics of every stack."""
        yield from self._sync.stack.metrics()
        for gateway in self._gateways:
            yield from gateway.stack.metrics()


def _store(settings: IpfsSettings) -> SnapshotStore:
    if settings.snapshot_dir is not None:
        return FolderStore(settings.snapshot_dir)
    return MemoryStore(limit_bytes=settings.memory_limit_bytes)

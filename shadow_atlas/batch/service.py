"""Put the parts of the batch service together; two of them in one process share nothing."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI

from resilience import ChaosFaultInjector, Sample
from shadow_atlas.batch.extractions import Extractions
from shadow_atlas.batch.extractor import StateBatchExtractor
from shadow_atlas.batch.job_request import JobRequest
from shadow_atlas.batch.job_store import JobStore, StoredJob
from shadow_atlas.batch.memory import RENEWAL_S, Memory
from shadow_atlas.batch.orchestrator import BatchOrchestrator
from shadow_atlas.batch.portals import EndpointStacks, Portals, links
from shadow_atlas.batch.record_mending import mend_record
from shadow_atlas.batch.settings import BatchSettings
from shadow_atlas.batch.store_guard import StackGuard
from shadow_atlas.batch.work_items import WorkItems
from shadow_atlas.batch.worker import Worker
from shadow_atlas.database import Database
from shadow_atlas.errors import classify
from shadow_atlas.events import EventSink
from shadow_atlas.health import health_body
from shadow_atlas.layer_events import LayerEvents, without_attempts
from shadow_atlas.levels import service_level
from shadow_atlas.portal_queries.fetching import PortalClient
from shadow_atlas.protection import StackFactory, StackKit
from shadow_atlas.stopping import stops_within, watch_for_stop
from shadow_atlas.surroundings import Surroundings

MENDING_TRIES = 240  # two minutes of polls: by then the database is there, or it is not coming


class Batch:
    """What one batch service consists of.

    Args:
        settings: Addresses, protection, queue.
        surroundings: What it is handed.
        resilience: Builds every stack.
    """

    def __init__(
        self, settings: BatchSettings, surroundings: Surroundings, *, resilience: StackFactory
    ) -> None:
        clock, name = surroundings.clock, settings.service.name
        self.settings = settings
        self.stopping = asyncio.Event()
        self._events: EventSink = surroundings.event_sink
        self._layer_events = LayerEvents(
            self._events, links={**links(name), settings.store.name: f"{name} -> db"}
        )
        kit = StackKit(
            create=resilience,
            clock=clock,
            rng=surroundings.rng,
            classifier=classify,
            listener=self._layer_events,
        )
        self.database = Database(settings.database, application_name=name)
        self._guard = StackGuard(kit.build(settings.store))
        self.store = JobStore(database=self.database, guard=self._guard)
        self.portals = _portals(settings, surroundings, kit)
        self.injector = ChaosFaultInjector(
            enabled=settings.service.chaos_token is not None,
            rng=random.Random(surroundings.rng.getrandbits(64)),
            clock=clock,
            listener=self._layer_events,
        )
        self.orchestrator = self._build_orchestrator(kit)
        renewal_s = RENEWAL_S * settings.service.time_scale
        memory = Memory(store=self.store, clock=clock, renewal_s=renewal_s)
        self.extractions = Extractions(orchestrator=self.orchestrator, memory=memory)
        self._work_items = WorkItems(events=self._events, registry=surroundings.metrics_registry)
        self.worker = Worker(
            store=self.store,
            orchestrator=self.orchestrator,
            settings=settings.queue,
            clock=clock,
            work_items=self._work_items,
        )

    @asynccontextmanager
    async def run(self, _app: FastAPI) -> AsyncIterator[None]:
        """Work on the queue; the service answers whether or not database and portals are there."""
        await self.database.open()
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(watch_for_stop(self._events, self.stopping))
                group.create_task(self._work())
                try:
                    yield
                finally:
                    self.stopping.set()
                    watch.cancel()
        finally:
            await self.portals.close()
            self.database.close()

    async def _work(self) -> None:
        """Complete the record of a killed predecessor, then work on the queue."""
        folder = self.settings.service.event_dir
        if folder is not None:
            await self._mend_record(folder)
        await self.worker.run(self.stopping)

    async def _mend_record(self, folder: Path) -> None:
        for _ in range(MENDING_TRIES):
            try:
                await mend_record(folder, store=self.store, work_items=self._work_items)
            except Exception as error:  # noqa: BLE001 - repeated: the database may start beside us
                structlog.get_logger().warning("cannot complete the record", error=repr(error))
            else:
                return
            if await stops_within(self.stopping, self.settings.queue.poll_s):
                return

    async def submit(self, request: JobRequest) -> StoredJob:
        """Store a job, record its tasks, and let the worker look at once."""
        job = await self.store.submit(request)
        self._work_items.accepted(job)
        self.worker.wake()
        return job

    def health(self) -> dict[str, Any]:
        """Write the body of `/v1/health`."""
        body = health_body(
            self.settings.service,
            level=service_level(
                gates=(self.orchestrator.stack, self._guard.stack), endpoints=self.portals.stacks
            ),
            samples=self.samples(),
            is_ready=self.database.was_reached,
        )
        return {**body, "tasks_running": self.worker.running}

    def samples(self) -> Iterator[Sample]:
        """Yield the metrics of every stack."""
        for stack in (self.orchestrator.stack, self._guard.stack, *self.portals.stacks):
            yield from stack.metrics()

    def _build_orchestrator(self, kit: StackKit) -> BatchOrchestrator:
        return BatchOrchestrator(
            extractor=StateBatchExtractor(
                portals=self.portals,
                page_size=self.settings.page_size,
                note_status=self._layer_events.note_status,
            ),
            stack=kit.build(
                self.settings.extraction, listener=without_attempts(self._layer_events)
            ),
            chaos=self.injector,
            last_good=self.store,
            events=self._events,
        )


def _portals(settings: BatchSettings, surroundings: Surroundings, kit: StackKit) -> Portals:
    clients = {
        name: PortalClient(
            address=address,
            timeout_s=settings.attempt_timeout_s,
            body_limit_bytes=settings.body_limit_bytes,
            clock=surroundings.clock,
        )
        for name, address in settings.portals.items()
    }
    return Portals(clients=clients, stacks=EndpointStacks(config=settings.request, kit=kit))

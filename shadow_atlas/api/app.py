"""Assemble the api service."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from prometheus_client import CollectorRegistry
from starlette.responses import JSONResponse, Response

from resilience import ChaosFaultInjector, HealthLevel, RateLimiter, Sample
from resilience.metrics import limiter_samples
from shadow_atlas import headers
from shadow_atlas.answers import Refusal
from shadow_atlas.api.coordinates import Coordinate
from shadow_atlas.api.lookup import DistrictLookup
from shadow_atlas.api.protected_lookup import Answer, ProtectedLookup
from shadow_atlas.api.updating import Target, Updating
from shadow_atlas.application import build_application
from shadow_atlas.boundaries import CurrentBoundaries
from shadow_atlas.boundaries.refreshes import What
from shadow_atlas.calls import Call, call_of
from shadow_atlas.chaos import chaos_router
from shadow_atlas.chaos_access import require_chaos_access
from shadow_atlas.clock import Clock
from shadow_atlas.database import Database
from shadow_atlas.errors import classify
from shadow_atlas.events import EventSink
from shadow_atlas.health import at_least_degraded, health_body
from shadow_atlas.layer_events import LayerEvents
from shadow_atlas.metrics import LayerCollector
from shadow_atlas.protection import Stack, StackFactory
from shadow_atlas.settings import ApiSettings
from shadow_atlas.surroundings import Surroundings

LINK = "api -> db"
UPDATES_LINK = "api -> tiger"
CLIENTS_LIMITER = "api-clients"
REFRESH_STATUSES = {What.REPLACED: 200, What.SKIPPED: 409, What.FAILED: 502}
MEETING_PAUSE_S = 1.0  # between tries to meet the database for the first time


class Api:
    """What one api service consists of; two in one process share nothing.

    Args:
        settings: Addresses and protection.
        surroundings: What it is handed.
        resilience: Builds the stack around lookups.
    """

    def __init__(
        self, settings: ApiSettings, surroundings: Surroundings, *, resilience: StackFactory
    ) -> None:
        clock = surroundings.clock
        listener = LayerEvents(surroundings.event_sink, links=_links(settings))
        self.settings = settings
        self.database = Database(settings.database, application_name=settings.service.name)
        self.clients = RateLimiter(
            CLIENTS_LIMITER, settings.clients, clock=clock, listener=listener
        )
        self.stack: Stack = resilience(
            settings.lookup,
            clock=clock,
            rng=random.Random(surroundings.rng.getrandbits(64)),
            classifier=classify,
            listener=listener,
        )
        self.injector = ChaosFaultInjector(
            enabled=settings.service.chaos_token is not None,
            rng=random.Random(surroundings.rng.getrandbits(64)),
            clock=clock,
            listener=listener,
        )
        self.current = CurrentBoundaries(clock)
        districts = DistrictLookup(self.database, current=self.current)
        self.lookup = ProtectedLookup(self.stack, districts, injector=self.injector)
        self.updating: Updating | None = None
        if settings.boundaries is not None:
            self.updating = Updating(
                settings.boundaries,
                surroundings,
                target=Target(database=self.database, shapes=districts, current=self.current),
                resilience=resilience,
                listener=listener,
                note_status=listener.note_status,
            )
        self._clock = clock

    @asynccontextmanager
    async def run(self, _app: FastAPI) -> AsyncIterator[None]:
        """Hold the pool open; the service answers whether or not its database is there."""
        await self.database.open()
        try:
            async with asyncio.TaskGroup() as group:
                background = group.create_task(self._work())
                try:
                    yield
                finally:
                    background.cancel()
        finally:
            self.database.close()
            if self.updating is not None:
                await self.updating.close()

    async def answer(self, call: Call, *, lat: str | None, lon: str | None) -> Response:
        """Answer one lookup.

        Raises:
            RateLimited: If the client has used up its tokens; nothing else was touched.
            Refusal: What the client is told instead of districts.
        """
        self.clients.acquire(call.client)
        coordinate = Coordinate.parse(lat=lat, lon=lon)
        answer = await self.lookup.find(coordinate, call_id=call.id, client=call.client)
        call.source = answer.source
        return _response(answer, now_s=self._clock.monotonic())

    async def refresh(self) -> Response:
        """Refresh the boundaries now; 200 if a new set is in force, 409 if one is at it, else 502.

        Raises:
            Refusal: 404 if this service was not told where TIGERweb is.
        """
        if self.updating is None:
            raise Refusal(status=404, code="NOT_FOUND", message="there are no boundary updates")
        refresh = await self.updating.updates.refresh(is_forced=True)
        return JSONResponse(refresh.json(), status_code=REFRESH_STATUSES[refresh.what])

    def health(self) -> dict[str, Any]:
        """Write the body of `/v1/health`."""
        body = health_body(
            self.settings.service,
            level=self._level(),
            samples=self.samples(),
            is_ready=self.database.was_reached,
        )
        return {**body, "boundaries": self._boundaries()}

    def samples(self) -> Iterator[Sample]:
        """Yield the metrics of stacks and limiter."""
        yield from self.stack.metrics()
        if self.updating is not None:
            yield from self.updating.stack.metrics()
        yield from limiter_samples(self.clients)

    def _level(self) -> HealthLevel:
        """Tell how lookups are; old boundaries answer all the same, so they count a little."""
        level = self.stack.health()
        is_well = self.updating is None or not self.updating.updates.record.failures
        return level if is_well else at_least_degraded(level)

    def _boundaries(self) -> dict[str, Any]:
        failures = None if self.updating is None else self.updating.updates.record.failures
        return {**self.current.json(), "failed_refreshes": failures}

    async def _work(self) -> None:
        await self._meet_database()
        if self.updating is not None:
            await self.updating.updates.run()

    async def _meet_database(self) -> None:
        pause_s = MEETING_PAUSE_S * self.settings.service.time_scale
        while not await self.database.is_reachable():
            await self._clock.sleep(pause_s)


def create_app(
    settings: ApiSettings,
    *,
    clock: Clock,
    rng: random.Random,
    metrics_registry: CollectorRegistry,
    event_sink: EventSink,
    resilience: StackFactory,
) -> FastAPI:
    """Build the api service.

    Args:
        settings: Addresses and protection.
        clock: Tells time and waits.
        rng: Root of its random streams: call ids and jitter.
        metrics_registry: Where its metrics are collected; one per application.
        event_sink: Takes its events.
        resilience: Builds the stack around lookups.
    """
    surroundings = Surroundings(
        clock=clock, rng=rng, metrics_registry=metrics_registry, event_sink=event_sink
    )
    api = Api(settings, surroundings, resilience=resilience)
    metrics_registry.register(LayerCollector([api.samples]))
    app = build_application(
        surroundings,
        title="Shadow Atlas api",
        body_limit_bytes=settings.service.body_limit_bytes,
        lifespan=api.run,
    )
    _add_routes(app, api)
    app.include_router(chaos_router(api.injector, token=settings.service.chaos_token))
    return app


def _add_routes(app: FastAPI, api: Api) -> None:
    @app.get("/v1/lookup")
    async def lookup(request: Request, lat: str | None = None, lon: str | None = None) -> Response:
        """Return the districts at a coordinate."""
        return await api.answer(call_of(request), lat=lat, lon=lon)

    @app.post("/v1/boundaries/refresh")
    async def refresh(request: Request) -> Response:
        """Refresh the boundaries now: for operators of this host, who have the chaos token."""
        require_chaos_access(request, token=api.settings.service.chaos_token)
        return await api.refresh()

    @app.get("/v1/health")
    async def health() -> Response:
        """Return how the service is; 200 at every level, so that it is never taken for dead."""
        return JSONResponse(api.health())


def _links(settings: ApiSettings) -> dict[str, str]:
    links = {settings.lookup.name: LINK}
    if settings.boundaries is not None:
        links[settings.boundaries.stack.name] = UPDATES_LINK
    return links


def _response(answer: Answer, *, now_s: float) -> Response:
    """Write districts, or 404 outside the coverage; both say where they came from and how old."""
    status = 200 if answer.districts else 404
    body = answer.json()
    if not answer.districts:
        body["error"] = {"code": "OUTSIDE_COVERAGE", "message": "no district at this coordinate"}
    response = JSONResponse(body, status_code=status)
    if answer.age_s is not None:
        response.headers[headers.AGE_S] = f"{answer.age_s:.3f}"
    if answer.boundaries is not None:
        response.headers[headers.BOUNDARIES_AGE_S] = f"{answer.boundaries.age_s(now_s):.3f}"
    return response

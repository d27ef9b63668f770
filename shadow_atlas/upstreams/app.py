"""Build the application of a stand-in: its portal, and the service endpoints beside it."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import assert_never

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Receive, Scope, Send

from shadow_atlas.application import Surroundings, build_application
from shadow_atlas.clock import Clock
from shadow_atlas.events import EventSink
from shadow_atlas.stopping import watch_for_stop
from shadow_atlas.upstreams.answers import AnswerDesk
from shadow_atlas.upstreams.arcgis import StateServer, TigerWeb
from shadow_atlas.upstreams.boundaries import ShippedBoundaries
from shadow_atlas.upstreams.portals import Form, PortalForm, PortalKind
from shadow_atlas.upstreams.received import ReceivedRecord
from shadow_atlas.upstreams.script_book import ScriptBook
from shadow_atlas.upstreams.script_endpoints import add_script_endpoints
from shadow_atlas.upstreams.settings import UpstreamSettings
from shadow_atlas.upstreams.socrata import SocrataPortal
from shadow_atlas.upstreams.stand_in import StandIn

PORTAL_PATHS = ("/arcgis/", "/resource/")


def create_app(
    settings: UpstreamSettings,
    *,
    clock: Clock,
    rng: random.Random,
    metrics_registry: CollectorRegistry,
    event_sink: EventSink,
    resilience: object,
) -> "Divided":
    """Build a stand-in.

    Args:
        settings: Which portal to play.
        clock: Times requests, and waits.
        rng: Seeds the draws of scripts.
        metrics_registry: Where its metrics are collected.
        event_sink: Takes a `received` event for each request.
        resilience: Unused: a stand-in calls nobody, so nothing needs protection.
    """
    del resilience
    stopping = asyncio.Event()
    book = ScriptBook(seed=f"{settings.service.name}:{rng.getrandbits(64)}")
    record = ReceivedRecord(event_sink, registry=metrics_registry)
    form = portal_form(settings.kind)
    desk = AnswerDesk(
        kind=settings.kind, form=form, boundaries=ShippedBoundaries(settings.kind.states)
    )
    portal = StandIn(form=form, desk=desk, book=book, record=record, clock=clock, stopping=stopping)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(watch_for_stop(event_sink, stopping))
            yield
            stopping.set()
            watch.cancel()

    endpoints = build_application(
        Surroundings(
            clock=clock, rng=rng, metrics_registry=metrics_registry, event_sink=event_sink
        ),
        title=f"Shadow Atlas stand-in {settings.service.name}",
        body_limit_bytes=settings.service.body_limit_bytes,
        lifespan=lifespan,
    )
    add_script_endpoints(endpoints, settings=settings, book=book, record=record)
    return Divided(portal=portal, endpoints=endpoints)


class Divided:
    """Send portal paths to the portal, all others to the service's endpoints.

    The portal gets the server's own `send`: a middleware would keep it from cutting connections.

    Args:
        portal: Answers queries.
        endpoints: Answers everything else, and runs the lifespan.
    """

    def __init__(self, *, portal: ASGIApp, endpoints: FastAPI) -> None:
        self.endpoints = endpoints
        self._portal = portal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection on."""
        is_query = scope["type"] == "http" and scope["path"].startswith(PORTAL_PATHS)
        await (self._portal if is_query else self.endpoints)(scope, receive, send)


def portal_form(kind: PortalKind) -> PortalForm:
    """Return what reads and writes in the form of `kind`."""
    match kind.form:
        case Form.ARCGIS_FEATURE_SERVER | Form.ARCGIS_MAP_SERVER:
            return StateServer(kind=kind)
        case Form.SOCRATA:
            return SocrataPortal(kind=kind)
        case Form.TIGERWEB:
            return TigerWeb(kind=kind)
        case _:
            assert_never(kind.form)

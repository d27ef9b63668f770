"""Assemble the application of the ipfs service."""

import random

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from shadow_atlas.application import build_application
from shadow_atlas.chaos import chaos_router
from shadow_atlas.clock import Clock
from shadow_atlas.events import EventSink
from shadow_atlas.ipfs.endpoints import add_endpoints
from shadow_atlas.ipfs.service import Ipfs
from shadow_atlas.ipfs.settings import IpfsSettings
from shadow_atlas.metrics import LayerCollector
from shadow_atlas.protection import StackFactory
from shadow_atlas.surroundings import Surroundings


def create_app(
    settings: IpfsSettings,
    *,
    clock: Clock,
    rng: random.Random,
    metrics_registry: CollectorRegistry,
    event_sink: EventSink,
    resilience: StackFactory,
) -> FastAPI:
    """Build the ipfs service.

    Args:
        settings: Addresses, protection, limits.
        clock: Tells time and waits.
        rng: Root of its random streams: call ids, jitter, injected faults.
        metrics_registry: Where its metrics are collected; one per application.
        event_sink: Takes its events.
        resilience: Builds every stack.
    """
    surroundings = Surroundings(
        clock=clock, rng=rng, metrics_registry=metrics_registry, event_sink=event_sink
    )
    ipfs = Ipfs(settings, surroundings, resilience=resilience)
    metrics_registry.register(LayerCollector([ipfs.samples]))
    app = build_application(
        surroundings,
        title="Shadow Atlas ipfs",
        body_limit_bytes=settings.service.body_limit_bytes,
        lifespan=ipfs.run,
    )
    add_endpoints(app, ipfs)
    app.include_router(chaos_router(ipfs.injector, token=settings.service.chaos_token))
    app.state.ipfs = ipfs
    return app

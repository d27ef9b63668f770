"""Assemble the application of the batch service."""

import random

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from shadow_atlas.application import build_application
from shadow_atlas.batch.endpoints import add_endpoints
from shadow_atlas.batch.service import Batch
from shadow_atlas.batch.settings import BatchSettings
from shadow_atlas.chaos import chaos_router
from shadow_atlas.clock import Clock
from shadow_atlas.events import EventSink
from shadow_atlas.metrics import LayerCollector
from shadow_atlas.protection import StackFactory
from shadow_atlas.surroundings import Surroundings


def create_app(
    settings: BatchSettings,
    *,
    clock: Clock,
    rng: random.Random,
    metrics_registry: CollectorRegistry,
    event_sink: EventSink,
    resilience: StackFactory,
) -> FastAPI:
    """Build the batch service.

    Args:
        settings: Addresses, protection, queue.
        clock: Tells time and waits.
        rng: Root of its random streams: call ids, jitter, injected faults.
        metrics_registry: Where its metrics are collected; one per application.
        event_sink: Takes its events.
        resilience: Builds every stack.
    """
    surroundings = Surroundings(
        clock=clock, rng=rng, metrics_registry=metrics_registry, event_sink=event_sink
    )
    batch = Batch(settings, surroundings, resilience=resilience)
    metrics_registry.register(LayerCollector([batch.samples]))
    app = build_application(
        surroundings,
        title="Shadow Atlas batch",
        body_limit_bytes=settings.service.body_limit_bytes,
        lifespan=batch.run,
    )
    add_endpoints(app, batch)
    app.include_router(chaos_router(batch.injector, token=settings.service.chaos_token))
    app.state.batch = batch
    return app

"""Plant: a task belongs to its first worker for ever, so what a killed worker held is lost.

It is the defect of a queue that acknowledges before the work is done, and is chosen by
`ATLAS_APP=shadow_atlas.planted.claims_that_never_expire:create_app` in the batch service.
"""

import random
from dataclasses import replace

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from shadow_atlas.batch import BatchSettings, create_app as create_sound_app
from shadow_atlas.clock import Clock
from shadow_atlas.events import EventSink
from shadow_atlas.protection import StackFactory

LEASE_S = 1e9  # thirty years


def create_app(
    settings: BatchSettings,
    *,
    clock: Clock,
    rng: random.Random,
    metrics_registry: CollectorRegistry,
    event_sink: EventSink,
    resilience: StackFactory,
) -> FastAPI:
    """Build the sound service, but let its claims hold for thirty years."""
    return create_sound_app(
        replace(settings, queue=replace(settings.queue, lease_s=LEASE_S)),
        clock=clock,
        rng=rng,
        metrics_registry=metrics_registry,
        event_sink=event_sink,
        resilience=resilience,
    )

"""Build the application of a gateway's stand-in."""

import random

from prometheus_client import CollectorRegistry

from shadow_atlas.clock import Clock
from shadow_atlas.events import EventSink
from shadow_atlas.gateways.blocks import BLOCK_PATHS, BlockDesk
from shadow_atlas.gateways.dialect import GatewayDialect
from shadow_atlas.gateways.settings import GatewaySettings
from shadow_atlas.gateways.snapshots import make_snapshots
from shadow_atlas.stand_ins.application import Divided, Role, build_stand_in
from shadow_atlas.surroundings import Surroundings


def create_app(
    settings: GatewaySettings,
    *,
    clock: Clock,
    rng: random.Random,
    metrics_registry: CollectorRegistry,
    event_sink: EventSink,
    resilience: object,
) -> Divided:
    """Build a stand-in.

    Args:
        settings: Which gateway to play.
        clock: Times requests, and waits.
        rng: Seeds the draws of scripts.
        metrics_registry: Where its metrics are collected.
        event_sink: Takes a `received` event for each request.
        resilience: Unused: a stand-in calls nobody, so nothing needs protection.
    """
    del resilience
    snapshots = make_snapshots()
    role = Role(
        desk=BlockDesk(snapshot.file for snapshot in snapshots),
        dialect=GatewayDialect(),
        paths=BLOCK_PATHS,
        health={
            "gateway": settings.service.name,
            "snapshots": [snapshot.name for snapshot in snapshots],
        },
        subjects="block",
    )
    surroundings = Surroundings(
        clock=clock, rng=rng, metrics_registry=metrics_registry, event_sink=event_sink
    )
    return build_stand_in(settings.service, role, surroundings)

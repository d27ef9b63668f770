"""Build the application of a portal's stand-in."""

import random
from typing import assert_never

from prometheus_client import CollectorRegistry

from shadow_atlas.clock import Clock
from shadow_atlas.events import EventSink
from shadow_atlas.stand_ins.application import Divided, Role, build_stand_in
from shadow_atlas.surroundings import Surroundings
from shadow_atlas.upstreams.answers import AnswerDesk
from shadow_atlas.upstreams.arcgis import StateServer, TigerWeb
from shadow_atlas.upstreams.boundaries import ShippedBoundaries
from shadow_atlas.upstreams.dialect import PortalDialect
from shadow_atlas.upstreams.portals import Form, PortalForm, PortalKind
from shadow_atlas.upstreams.settings import UpstreamSettings
from shadow_atlas.upstreams.socrata import SocrataPortal

PORTAL_PATHS = ("/arcgis/", "/resource/")


def create_app(
    settings: UpstreamSettings,
    *,
    clock: Clock,
    rng: random.Random,
    metrics_registry: CollectorRegistry,
    event_sink: EventSink,
    resilience: object,
) -> Divided:
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
    kind = settings.kind
    role = Role(
        desk=AnswerDesk(
            kind=kind, form=portal_form(kind), boundaries=ShippedBoundaries(kind.states)
        ),
        dialect=PortalDialect(kind=kind),
        paths=PORTAL_PATHS,
        health={
            "portal": settings.service.name,
            "form": kind.form,
            "states": list(kind.states),
        },
        subjects="layer",
    )
    surroundings = Surroundings(
        clock=clock, rng=rng, metrics_registry=metrics_registry, event_sink=event_sink
    )
    return build_stand_in(settings.service, role, surroundings)


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

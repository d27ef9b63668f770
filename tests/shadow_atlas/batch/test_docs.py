"""The reference pages name every endpoint, field and planted defect, and no other."""

import importlib
import pkgutil
import random
import re
from dataclasses import fields
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Route

import shadow_atlas.planted
from resilience import create_stack
from shadow_atlas.batch import BatchSettings, create_app
from shadow_atlas.batch.tasks import JobState, TaskStatus
from shadow_atlas.events import EventLog
from shadow_atlas.portal_queries.catalogue import STATES, Layer
from shadow_atlas.stand_ins.scripts import Body, What, When
from shadow_atlas.upstreams import UpstreamSettings, create_app as create_stand_in
from shadow_atlas.upstreams.arcgis import TIGERWEB_LAYERS
from shadow_atlas.upstreams.portals import PORTAL_KINDS
from shadow_atlas.upstreams.socrata import DATASETS
from tests.shadow_atlas.fake_clock import FakeClock

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
SHARED = {"GET /metrics", "GET /events"}  # described with every service
PORTALS = ("PORTAL_WI", "PORTAL_CO", "PORTAL_NY", "TIGER", "DB")


def _page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text()


def _endpoints(page: str) -> set[str]:
    return set(re.findall(r"`((?:GET|POST|DELETE) /[^`]*)`", page))


def _routes(app: Starlette) -> set[str]:
    return {
        f"{method} {re.sub('job_id', 'id', route.path)}"
        for route in app.routes
        if isinstance(route, (APIRoute, Route))
        for method in (route.methods or set()) - {"HEAD"}
    } - SHARED


def _batch() -> FastAPI:
    clock = FakeClock()
    settings = BatchSettings.from_environment(
        {"ATLAS_SERVICE": "batch", "ATLAS_PORT": "1"}
        | {f"ATLAS_{name}_ADDRESS": "127.0.0.1:1" for name in PORTALS}
    )
    return create_app(
        settings,
        clock=clock,
        rng=random.Random(1),
        metrics_registry=CollectorRegistry(),
        event_sink=EventLog(service="batch", incarnation="1", clock=clock),
        resilience=create_stack,
    )


def test_the_page_of_the_batch_service_names_every_endpoint():
    documented = _endpoints(_page("batch"))
    routes = {route for route in _routes(_batch()) if "/chaos/" not in route}

    assert documented | {"GET /v1/health"} == routes


def test_the_page_of_the_batch_service_names_every_status_state_and_layer():
    page = _page("batch")

    for name in (*TaskStatus, *JobState, *STATES, *Layer):
        assert f"`{name}`" in page


def test_the_page_of_the_stand_ins_names_every_endpoint():
    clock = FakeClock()
    settings = UpstreamSettings.from_environment({"ATLAS_SERVICE": "tiger", "ATLAS_PORT": "1"})
    divided = create_stand_in(
        settings,
        clock=clock,
        rng=random.Random(1),
        metrics_registry=CollectorRegistry(),
        event_sink=EventLog(service="tiger", incarnation="1", clock=clock),
        resilience=create_stack,
    )

    assert _endpoints(_page("stand-ins")) | {"GET /v1/health"} == _routes(divided.endpoints)


def test_the_page_of_the_stand_ins_names_every_field_body_layer_and_portal():
    page = _page("stand-ins")

    for field in (*fields(When), *fields(What)):
        assert re.search(rf"`{field.name}\b", page), field.name
    for body in Body:
        assert f"`body: {body}`" in page
    for name in (*PORTAL_KINDS, *DATASETS):
        assert f"`{name}`" in page
    for service in TIGERWEB_LAYERS:
        assert service in page or service.rpartition("/")[2] in page


def test_every_planted_defect_is_listed_and_can_be_loaded():
    listed = re.findall(r"shadow_atlas\.planted\.(\w+):(create_\w+)", _page("planted-defects"))
    modules = {module.name for module in pkgutil.iter_modules(shadow_atlas.planted.__path__)}

    assert {name for name, _ in listed} == modules
    for name, factory in listed:
        module = importlib.import_module(f"shadow_atlas.planted.{name}")
        assert callable(getattr(module, factory))

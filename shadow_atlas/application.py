"""Assemble what every service application has: call records, refusals, events and metrics."""

import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from shadow_atlas.answers import Refusal, error_response, refusal_of
from shadow_atlas.calls import RecordCalls
from shadow_atlas.clock import Clock
from shadow_atlas.events import EventSink
from shadow_atlas.metrics import RequestCounter

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a service is handed instead of reaching for it.

    Args:
        clock: Tells time and waits.
        rng: Root of the service's random streams.
        metrics_registry: Where its metrics are collected.
        event_sink: Takes its events.
    """

    clock: Clock
    rng: random.Random
    metrics_registry: CollectorRegistry
    event_sink: EventSink


def build_application(
    surroundings: Surroundings, *, title: str, body_limit_bytes: int, lifespan: Lifespan
) -> FastAPI:
    """Build an application that answers `/events` and `/metrics` and records every call.

    Its documentation pages are off: they would load scripts from a foreign host.
    """
    app = FastAPI(title=title, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(
        RecordCalls,
        sink=surroundings.event_sink,
        requests=RequestCounter(surroundings.metrics_registry),
        clock=surroundings.clock,
        rng=random.Random(surroundings.rng.getrandbits(64)),
        body_limit_bytes=body_limit_bytes,
    )
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    _add_events(app, surroundings.event_sink)
    _add_metrics(app, surroundings.metrics_registry)
    return app


def _add_events(app: FastAPI, sink: EventSink) -> None:
    @app.get("/events")
    async def events() -> Response:
        """Stream the records of this service from now on, one JSON object a line."""
        view = sink.follow()
        return StreamingResponse(view.lines(), media_type="application/x-ndjson")


def _add_metrics(app: FastAPI, registry: CollectorRegistry) -> None:
    @app.get("/metrics")
    async def metrics() -> Response:
        """Expose the metrics of this service in the Prometheus text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


async def _answer_http_exception(_request: Request, error: Exception) -> Response:
    return error_response(refusal_of(error))


async def _answer_validation_error(_request: Request, error: Exception) -> Response:
    where = "unknown"
    if isinstance(error, RequestValidationError) and error.errors():
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
    return error_response(
        Refusal(status=400, code="BAD_REQUEST", message=f"{where} is missing or has a wrong type")
    )

"""What every service is handed, and what every application has: call records, events, metrics.

It knows Starlette alone. Stand-ins are built on it, because there are many of them in a system and
FastAPI takes 0.2 s of a processor to import; it is for services that validate what they are asked.
"""

import random
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from shadow_atlas.answers import error_response, refusal_of
from shadow_atlas.calls import RecordCalls
from shadow_atlas.clock import Clock
from shadow_atlas.events import EventSink
from shadow_atlas.metrics import RequestCounter


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


def furnish(app: Starlette, surroundings: Surroundings, *, body_limit_bytes: int) -> None:
    """Make an application record every call and answer `/events` and `/metrics`."""
    app.add_middleware(
        RecordCalls,
        sink=surroundings.event_sink,
        requests=RequestCounter(surroundings.metrics_registry),
        clock=surroundings.clock,
        rng=random.Random(surroundings.rng.getrandbits(64)),
        body_limit_bytes=body_limit_bytes,
    )
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.router.routes += [
        _events(surroundings.event_sink),
        _metrics(surroundings.metrics_registry),
    ]


def _events(sink: EventSink) -> Route:
    async def events(_request: Request) -> Response:
        """Stream the records of this service from now on, one JSON object a line."""
        return StreamingResponse(sink.follow().lines(), media_type="application/x-ndjson")

    return Route("/events", events, methods=["GET"])


def _metrics(registry: CollectorRegistry) -> Route:
    async def metrics(_request: Request) -> Response:
        """Expose the metrics of this service in the Prometheus text format."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Route("/metrics", metrics, methods=["GET"])


async def _answer_http_exception(_request: Request, error: Exception) -> Response:
    return error_response(refusal_of(error))

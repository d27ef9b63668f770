"""What every answer of every service has in common, on a small application."""

import asyncio
import json
import random
from contextlib import asynccontextmanager

import httpx
import pytest
import structlog
from fastapi import Request
from prometheus_client import CollectorRegistry, Gauge
from starlette.responses import JSONResponse, StreamingResponse

from resilience import BulkheadFull, CircuitOpen, DeadlineExceeded, QueueTimeout, RateLimited
from shadow_atlas.answers import Refusal
from shadow_atlas.application import build_application
from shadow_atlas.calls import call_of
from shadow_atlas.events import EventLog
from shadow_atlas.surroundings import Surroundings
from tests.shadow_atlas.fake_clock import FakeClock

LIMIT_BYTES = 1000

REJECTIONS = [
    (CircuitOpen("db", 12.3), 503, "SERVICE_DEGRADED", "breaker", "13"),
    (CircuitOpen("db", 0.0), 503, "SERVICE_DEGRADED", "breaker", "1"),
    (BulkheadFull("db"), 503, "SERVICE_DEGRADED", "bulkhead", "1"),
    (QueueTimeout("db", 2.0), 503, "SERVICE_DEGRADED", "bulkhead", "2"),
    (DeadlineExceeded("db", 1.0, None, 0), 503, "SERVICE_DEGRADED", "bulkhead", "1"),
    (RateLimited("me", 0.04), 429, "RATE_LIMIT_EXCEEDED", "limiter", "1"),
]


@asynccontextmanager
async def nothing_to_hold(_app):
    yield


def build(error=None):
    clock = FakeClock()
    log = EventLog(service="small", incarnation="1", clock=clock)
    registry = CollectorRegistry()
    Gauge("answer", "of everything", registry=registry).set(42)
    surroundings = Surroundings(
        clock=clock, rng=random.Random(1), metrics_registry=registry, event_sink=log
    )
    app = build_application(
        surroundings, title="small", body_limit_bytes=LIMIT_BYTES, lifespan=nothing_to_hold
    )

    @app.post("/echo")
    async def echo(request: Request):
        return JSONResponse({"size": len(await request.body())})

    @app.get("/stale")
    async def stale(request: Request):
        call_of(request).source = "stale_cache"
        return JSONResponse({})

    @app.get("/typed")
    async def typed(number: int):
        return JSONResponse({"number": number})

    @app.get("/raise")
    async def fail():
        raise error

    @app.get("/half")
    async def half():
        async def chunks():
            yield b"half an answer"
            raise error

        return StreamingResponse(chunks())

    return app, log


def ask(app, log, method, path, **options):
    """Return the answer and all records of one request."""

    async def main():
        view = log.follow()
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://small") as client:
            response = await client.request(method, path, **options)
        log.end_views()
        return response, [json.loads(line) async for line in view.lines()]

    return asyncio.run(main())


def requests_of(records):
    return [record for record in records if record["kind"] == "request"]


@pytest.mark.parametrize(
    ("error", "status", "code", "rejected_by", "retry_after"),
    REJECTIONS,
    ids=[type(row[0]).__name__ for row in REJECTIONS],
)
def test_local_rejection_says_who_refused_and_when_to_come_back(
    error, status, code, rejected_by, retry_after
):
    response, records = ask(*build(error), "GET", "/raise")

    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert response.headers["x-atlas-rejected-by"] == rejected_by
    assert response.headers["retry-after"] == retry_after
    assert response.headers["x-atlas-source"] == "primary"
    assert [(each["status"], each["rejected_by"]) for each in requests_of(records)] == [
        (status, rejected_by)
    ]


def test_unknown_error_tells_the_client_nothing_of_itself_and_is_logged():
    with structlog.testing.capture_logs() as logs:
        response, records = ask(*build(RuntimeError("password is hunter2")), "GET", "/raise")

    assert response.status_code == 500
    assert response.json() == {
        "error": {"code": "INTERNAL_ERROR", "message": "the request could not be answered"}
    }
    assert response.headers["x-atlas-source"] == "primary"
    assert [each["status"] for each in requests_of(records)] == [500]
    call_id = response.headers["x-atlas-call-id"]
    assert logs == [
        {"event": "unhandled error", "call_id": call_id, "exc_info": True, "log_level": "error"}
    ]


def test_refusal_is_the_answer_it_describes():
    refusal = Refusal(status=418, code="TEAPOT", message="short and stout", retry_after_s=1.5)

    response, _ = ask(*build(refusal), "GET", "/raise")

    assert response.status_code == 418
    assert response.json() == {"error": {"code": "TEAPOT", "message": "short and stout"}}
    assert response.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("GET", "/docs", 404, "NOT_FOUND"),
        ("DELETE", "/echo", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/typed?number=seven", 400, "BAD_REQUEST"),
        ("GET", "/typed", 400, "BAD_REQUEST"),
    ],
)
def test_answer_to_a_request_that_cannot_be_meant_has_the_common_form(method, path, status, code):
    response, records = ask(*build(), method, path)

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert "x-atlas-call-id" in response.headers
    assert response.headers["x-atlas-source"] == "primary"
    assert len(requests_of(records)) == 1


def test_source_set_by_the_handler_is_told_and_recorded():
    response, records = ask(*build(), "GET", "/stale")

    assert response.headers["x-atlas-source"] == "stale_cache"
    assert requests_of(records)[0]["source"] == "stale_cache"


@pytest.mark.parametrize("call_id", ["c-1", "x" * 128])
def test_call_id_of_the_client_is_kept(call_id):
    response, records = ask(*build(), "GET", "/stale", headers={"x-atlas-call-id": call_id})

    assert response.headers["x-atlas-call-id"] == call_id
    assert requests_of(records)[0]["call_id"] == call_id


@pytest.mark.parametrize("call_id", ["", "x" * 129, "tab\there", "\x7f"])
def test_call_id_that_is_no_identifier_is_replaced(call_id):
    response, _ = ask(*build(), "GET", "/stale", headers={"x-atlas-call-id": call_id})

    assert len(response.headers["x-atlas-call-id"]) == 16


def test_client_is_named_by_its_header_or_else_by_its_address():
    _, named = ask(*build(), "GET", "/stale", headers={"X-Client-Id": "me"})
    _, unnamed = ask(*build(), "GET", "/stale")

    assert (requests_of(named)[0]["client"], requests_of(unnamed)[0]["client"]) == (
        "me",
        "127.0.0.1",
    )


def test_body_of_the_allowed_size_is_read():
    response, _ = ask(*build(), "POST", "/echo", content=b"x" * LIMIT_BYTES)

    assert response.json() == {"size": LIMIT_BYTES}


async def _chunks():
    for _ in range(LIMIT_BYTES + 1):
        yield b"x"


@pytest.mark.parametrize("content", [b"x" * (LIMIT_BYTES + 1), _chunks()], ids=["sized", "chunked"])
def test_larger_body_is_refused(content):
    response, _ = ask(*build(), "POST", "/echo", content=content)

    assert (response.status_code, response.json()["error"]["code"]) == (413, "BODY_TOO_LARGE")


def test_answer_that_breaks_off_is_recorded_once():
    app, log = build(RuntimeError("in the middle"))

    response, records = ask(app, log, "GET", "/half")

    assert response.content == b"half an answer"
    assert [each["status"] for each in requests_of(records)] == [200]


def test_request_is_recorded_before_its_last_byte_is_sent():
    app, log = build()
    order = []

    async def main():
        view = log.follow()

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            if message["type"] == "http.response.body":
                log.end_views()
                order.extend([json.loads(line)["kind"] async for line in view.lines()])

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/stale",
            "query_string": b"",
            "headers": [],
            "client": ("127.0.0.1", 1),
        }
        await app(scope, receive, send)

    asyncio.run(main())

    assert order == ["clock", "request"]


def test_metrics_come_from_the_registry_that_was_given():
    response, _ = ask(*build(), "GET", "/metrics")

    assert response.headers["content-type"].startswith("text/plain; version=")
    assert "answer 42.0" in response.text.splitlines()


def test_two_applications_keep_their_registries_apart():
    build()
    build()  # a default registry would refuse the second gauge of the same name

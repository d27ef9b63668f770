"""Offer jobs and single extractions over HTTP."""

import json
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from resilience import ErrorClass
from resilience.errors import is_local_rejection
from shadow_atlas import headers
from shadow_atlas.answers import Refusal
from shadow_atlas.batch.extraction import Call as ExtractionCall, Extraction
from shadow_atlas.batch.job_request import (
    KeyReused,
    RequestRejected,
    read_extraction_request,
    read_job_request,
)
from shadow_atlas.batch.service import Batch
from shadow_atlas.batch.tasks import JobState, JobStatus, TaskStatus
from shadow_atlas.calls import call_of
from shadow_atlas.errors import classify
from shadow_atlas.portal_queries.catalogue import Layer
from shadow_atlas.stopping import stops_within

JOB_ID_MAX = 2**63 - 1  # the range of a bigint; a larger number names no job
PROGRESS_LINES_MAX = 10_000  # a stream ends some time, also if its job does not
STORE_RETRY_AFTER_S = 1.0
IDEMPOTENCY_KEY = "idempotency-key"


def add_endpoints(app: FastAPI, batch: Batch) -> None:
    """Add `/v1/jobs`, `/v1/queue`, `/v1/extractions` and `/v1/health`."""
    _add_submission(app, batch)
    _add_reading(app, batch)
    _add_queue(app, batch)
    _add_progress(app, batch)
    _add_extractions(app, batch)

    @app.get("/v1/health")
    async def health() -> Response:
        return JSONResponse(batch.health())


def _add_submission(app: FastAPI, batch: Batch) -> None:
    @app.post("/v1/jobs", status_code=202)
    async def submit(request: Request) -> Response:
        """Accept a job: its tasks are stored when this is answered."""
        key = request.headers.get(IDEMPOTENCY_KEY)
        wanted = await _read(request)
        try:
            job = await batch.submit(read_job_request(wanted, idempotency_key=key))
        except Exception as error:
            raise _refusal(error) from error
        location = f"/v1/jobs/{job.id}"
        return JSONResponse(
            {"id": str(job.id), "status_url": location, "created": job.is_new},
            status_code=202,
            headers={"location": location},
        )


def _add_reading(app: FastAPI, batch: Batch) -> None:
    @app.get("/v1/jobs/{job_id}")
    async def read_job(job_id: str) -> dict[str, object]:
        return {"id": job_id, **(await _status(batch, job_id)).document()}

    @app.get("/v1/jobs/{job_id}/results")
    async def read_results(job_id: str) -> dict[str, object]:
        status = await _status(batch, job_id)
        try:
            results = await batch.store.results(_job_number(job_id))
        except Exception as error:
            raise _refusal(error) from error
        return {"id": job_id, "status": status.state, "results": list(results)}

    @app.get("/v1/jobs/{job_id}/results/{state}/{layer}")
    async def read_boundaries(request: Request, job_id: str, state: str, layer: str) -> Response:
        """Return the GeoJSON of one result."""
        try:
            known = Layer(layer)
            content = await batch.store.content(_job_number(job_id), state, known)
        except Exception as error:
            raise _refusal(error) from error
        if content is None:
            raise _unknown(f"job {job_id} has no result for {state} {layer}")
        call_of(request).source, text = content
        return Response(text, media_type="application/geo+json")


def _add_queue(app: FastAPI, batch: Batch) -> None:
    @app.get("/v1/queue")
    async def read_queue() -> dict[str, object]:
        """Count the tasks of all jobs; open ones are still to be claimed, refreshes included."""
        try:
            status = await batch.store.queue()
        except Exception as error:
            raise _refusal(error) from error
        counts = {each.value: status.counts.get(each, 0) for each in TaskStatus}
        return {"tasks": {"open": status.pending, **counts}}


def _add_progress(app: FastAPI, batch: Batch) -> None:
    @app.get("/v1/jobs/{job_id}/progress")
    async def follow_progress(job_id: str) -> Response:
        """Stream the status, one JSON object a line, each time it changes, to its end."""
        first = await _status(batch, job_id)
        return StreamingResponse(
            _progress(batch, _job_number(job_id), first), media_type="application/x-ndjson"
        )


async def _progress(batch: Batch, job_id: int, first: JobStatus) -> AsyncIterator[bytes]:
    """Yield lines until the job is complete or the service stops, whichever comes first."""
    shown: JobStatus | None = None
    status: JobStatus | None = first
    for _ in range(PROGRESS_LINES_MAX):
        if status is not None and status != shown:
            shown = status
            yield json.dumps({"id": str(job_id), **status.document()}).encode() + b"\n"
        if shown is not None and shown.state is JobState.COMPLETE:
            return
        if await stops_within(batch.stopping, batch.settings.queue.poll_s):
            return
        try:
            status = await batch.store.status(job_id)
        except Exception:  # noqa: BLE001 - the database is away: nothing new to tell
            status = None


def _add_extractions(app: FastAPI, batch: Batch) -> None:
    @app.post("/v1/extractions")
    async def extract(request: Request) -> Response:
        """Extract one layer of one state now."""
        wanted = await _read(request)
        try:
            state, layer = read_extraction_request(wanted)
        except RequestRejected as error:
            raise _refusal(error) from error
        call = call_of(request)
        extraction = await batch.extractions.extract(
            state, layer, call=ExtractionCall(call_id=call.id)
        )
        call.source = extraction.source.value
        return _extraction_response(extraction)


def _extraction_response(extraction: Extraction) -> Response:
    response = JSONResponse(
        {
            "state": extraction.state,
            "layer": extraction.layer,
            "source": extraction.source,
            "portal": extraction.portal,
            "feature_count": extraction.boundaries.feature_count,
            "sha256": extraction.boundaries.sha256,
            "attempts": extraction.attempts,
            "age_s": extraction.age_s,
        }
    )
    if extraction.age_s:
        response.headers[headers.AGE_S] = f"{extraction.age_s:.3f}"
    return response


async def _read(request: Request) -> object:
    try:
        document: object = json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        message = "the body is not JSON"
        raise Refusal(status=400, code="BAD_REQUEST", message=message) from error
    return document


async def _status(batch: Batch, job_id: str) -> JobStatus:
    try:
        status = await batch.store.status(_job_number(job_id))
    except Exception as error:
        raise _refusal(error) from error
    if status is None:
        raise _unknown(f"there is no job {job_id}")
    return status


def _job_number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or int(text) > JOB_ID_MAX:
        raise _unknown(f"there is no job {text}")
    return int(text)


def _unknown(message: str) -> Refusal:
    return Refusal(status=404, code="NOT_FOUND", message=message)


def _refusal(error: Exception) -> Exception:
    """Turn what reading a request or the store raised into an answer."""
    if isinstance(error, RequestRejected):
        return Refusal(status=422, code="REQUEST_REJECTED", message=str(error))
    if isinstance(error, KeyReused):
        return Refusal(status=409, code="KEY_REUSED", message=str(error))
    if isinstance(error, Refusal) or is_local_rejection(error):
        return error
    if classify(error) is not ErrorClass.PERMANENT:
        return Refusal(
            status=503,
            code="STORE_UNAVAILABLE",
            message="the job store does not answer",
            retry_after_s=STORE_RETRY_AFTER_S,
        )
    return error

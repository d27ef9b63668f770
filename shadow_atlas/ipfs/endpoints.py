"""Offer synchronisation and reading of snapshots over HTTP."""

from typing import Final

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from resilience.errors import is_local_rejection
from shadow_atlas.answers import Refusal
from shadow_atlas.calls import call_of
from shadow_atlas.content_addressing import Cid, CidRejected, FileRefused
from shadow_atlas.ipfs.failures import AllGatewaysFailed
from shadow_atlas.ipfs.service import Ipfs

RETRY_AFTER_S: Final = 1.0  # nobody can tell when a gateway is back: soon


def add_endpoints(app: FastAPI, ipfs: Ipfs) -> None:
    """Add `/v1/snapshots` and `/v1/health`."""

    @app.post("/v1/snapshots/{cid}/sync")
    async def sync(request: Request, cid: str) -> Response:
        """Fetch a snapshot from the gateways, verify it and keep it."""
        named, call = _cid(cid), call_of(request)
        try:
            synced = await ipfs.sync(named, call_id=call.id)
        except Exception as error:
            raise _refusal(error) from error
        call.source = synced.source
        return JSONResponse(
            {
                "cid": cid,
                "size_bytes": len(synced.content),
                "gateway": synced.gateway,
                "attempts": synced.attempts,
                "source": synced.source,
            }
        )

    @app.get("/v1/snapshots/{cid}")
    async def read(cid: str) -> Response:
        """Return a snapshot that was synced; no gateway is asked."""
        named = _cid(cid)
        try:
            content = await ipfs.store.get(named)
        except OSError as error:
            raise _refusal(error) from error
        if content is None:
            message = "this snapshot is not here; POST to its /sync fetches it"
            raise Refusal(status=404, code="NOT_SYNCED", message=message)
        etag = f'"{named}"'  # the name is the content, so it never changes
        return Response(content, media_type="application/octet-stream", headers={"etag": etag})

    @app.get("/v1/health")
    async def health() -> Response:
        return JSONResponse(ipfs.health())


def _cid(text: str) -> Cid:
    try:
        return Cid.parse(text)
    except CidRejected as error:
        raise Refusal(status=400, code="BAD_CID", message=str(error)) from error


def _refusal(error: Exception) -> Exception:
    """Turn what a synchronisation or the store raised into an answer."""
    if isinstance(error, AllGatewaysFailed):
        return _all_failed(error)
    if isinstance(error, FileRefused):
        return Refusal(status=422, code="SNAPSHOT_REFUSED", message=str(error))
    if isinstance(error, OSError) and not is_local_rejection(error):
        return Refusal(
            status=503,
            code="STORE_UNAVAILABLE",
            message="the snapshot cannot be kept or read",
            retry_after_s=RETRY_AFTER_S,
        )
    return error


def _all_failed(error: AllGatewaysFailed) -> Refusal:
    may_pass = any(failure.may_pass for failure in error.failures)
    wait_s = error.retry_after_s
    return Refusal(
        status=503 if may_pass else 502,
        code="ALL_GATEWAYS_FAILED",
        message="no gateway delivered the snapshot",
        retry_after_s=(RETRY_AFTER_S if wait_s is None else wait_s) if may_pass else None,
        rejected_by="breaker" if error.is_local else None,
        details={
            "gateways": [
                {"gateway": failure.gateway, "reason": failure.reason} for failure in error.failures
            ]
        },
    )

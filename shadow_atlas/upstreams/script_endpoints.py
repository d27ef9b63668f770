"""Offer the endpoints beside the portal: health, scripts, and what was received."""

import json

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from shadow_atlas.answers import Refusal
from shadow_atlas.chaos import require_chaos_access
from shadow_atlas.upstreams.portals import LAYERS, PortalKind
from shadow_atlas.upstreams.received import ReceivedRecord
from shadow_atlas.upstreams.script_book import ScriptBook
from shadow_atlas.upstreams.script_documents import ScriptRejected, read_script, script_document
from shadow_atlas.upstreams.scripts import Script
from shadow_atlas.upstreams.settings import UpstreamSettings


def add_script_endpoints(
    app: FastAPI, *, settings: UpstreamSettings, book: ScriptBook, record: ReceivedRecord
) -> None:
    """Add `/v1/health`, `/chaos/scripts` and `/chaos/received`.

    Everything under `/chaos` answers 404 without the run's token, and to other hosts.
    """
    _add_health(app, settings)
    _add_setting(app, settings, book)
    _add_lifting(app, settings, book)
    _add_reading(app, settings, book, record)


def _add_health(app: FastAPI, settings: UpstreamSettings) -> None:
    @app.get("/v1/health")
    async def health() -> dict[str, object]:
        return {
            "status": "healthy",
            "portal": settings.service.name,
            "form": settings.kind.form,
            "states": list(settings.kind.states),
        }


def _add_reading(
    app: FastAPI, settings: UpstreamSettings, book: ScriptBook, record: ReceivedRecord
) -> None:
    @app.get("/chaos/scripts")
    async def list_scripts(request: Request) -> dict[str, object]:
        require_chaos_access(request, token=settings.service.chaos_token)
        return {
            "scripts": [
                {**script_document(script), "matched": matched, "acted": acted}
                for script, matched, acted in book.scripts()
            ]
        }

    @app.get("/chaos/received")
    async def received(request: Request) -> dict[str, object]:
        require_chaos_access(request, token=settings.service.chaos_token)
        return record.summary()


def _add_setting(app: FastAPI, settings: UpstreamSettings, book: ScriptBook) -> None:
    @app.post("/chaos/scripts")
    async def set_script(request: Request) -> Response:
        require_chaos_access(request, token=settings.service.chaos_token)
        try:
            document = json.loads(await request.body())
            script = read_script(document, states=settings.kind.states, layers=LAYERS)
            _require_sense(script, settings.kind)
            book.add(script)
        except ValueError as error:  # ScriptRejected, a full book, and text that is not JSON
            raise Refusal(status=400, code="SCRIPT_REJECTED", message=str(error)) from error
        return JSONResponse({"name": script.name}, status_code=201)


def _add_lifting(app: FastAPI, settings: UpstreamSettings, book: ScriptBook) -> None:
    @app.delete("/chaos/scripts")
    async def lift_all(request: Request) -> dict[str, int]:
        require_chaos_access(request, token=settings.service.chaos_token)
        return {"lifted": book.lift_all()}

    @app.delete("/chaos/scripts/{name}")
    async def lift(request: Request, name: str) -> dict[str, int]:
        require_chaos_access(request, token=settings.service.chaos_token)
        if not book.lift(name):
            raise Refusal(status=404, code="NOT_FOUND", message=f"no script is named {name!r}")
        return {"lifted": 1}


def _require_sense(script: Script, kind: PortalKind) -> None:
    if script.what.page_size is not None and not kind.marks_capped_pages:
        raise ScriptRejected(["page_size: this portal has no way to mark a capped page"])

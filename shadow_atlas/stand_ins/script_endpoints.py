"""Offer the endpoints beside a stand-in: health, scripts, and what was received."""

import json
from collections.abc import Mapping
from typing import Protocol

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from shadow_atlas.answers import Refusal
from shadow_atlas.chaos import require_chaos_access
from shadow_atlas.stand_ins.received import ReceivedRecord
from shadow_atlas.stand_ins.script_book import ScriptBook
from shadow_atlas.stand_ins.script_documents import script_document
from shadow_atlas.stand_ins.scripts import Script


class Dialect(Protocol):
    """Knows which scripts mean something at one stand-in."""

    def read(self, document: object) -> Script:
        """Build the script that a JSON document describes.

        Raises:
            ScriptRejected: If it cannot be meant here.
        """
        ...


def add_script_endpoints(
    app: FastAPI,
    *,
    dialect: Dialect,
    token: str | None,
    book: ScriptBook,
    record: ReceivedRecord,
    health: Mapping[str, object],
) -> None:
    """Add `/v1/health`, `/chaos/scripts` and `/chaos/received`.

    Everything under `/chaos` answers 404 without the run's token, and to other hosts.

    Args:
        app: Gets the endpoints.
        dialect: Reads scripts.
        token: The run's token; None hides the endpoints.
        book: Holds the scripts.
        record: Holds what was received.
        health: What the stand-in says of itself, besides being healthy.
    """
    _add_setting(app, dialect, token, book)
    _add_lifting(app, token, book)
    _add_reading(app, token, book, record)

    @app.get("/v1/health")
    async def tell_health() -> dict[str, object]:
        return {"status": "healthy", **health}


def _add_reading(app: FastAPI, token: str | None, book: ScriptBook, record: ReceivedRecord) -> None:
    @app.get("/chaos/scripts")
    async def list_scripts(request: Request) -> dict[str, object]:
        require_chaos_access(request, token=token)
        return {
            "scripts": [
                {**script_document(script), "matched": matched, "acted": acted}
                for script, matched, acted in book.scripts()
            ]
        }

    @app.get("/chaos/received")
    async def received(request: Request) -> dict[str, object]:
        require_chaos_access(request, token=token)
        return record.summary()


def _add_setting(app: FastAPI, dialect: Dialect, token: str | None, book: ScriptBook) -> None:
    @app.post("/chaos/scripts")
    async def set_script(request: Request) -> Response:
        require_chaos_access(request, token=token)
        try:
            script = dialect.read(json.loads(await request.body()))
            book.add(script)
        except ValueError as error:  # ScriptRejected, a full book, and text that is not JSON
            raise Refusal(status=400, code="SCRIPT_REJECTED", message=str(error)) from error
        return JSONResponse({"name": script.name}, status_code=201)


def _add_lifting(app: FastAPI, token: str | None, book: ScriptBook) -> None:
    @app.delete("/chaos/scripts")
    async def lift_all(request: Request) -> dict[str, int]:
        require_chaos_access(request, token=token)
        return {"lifted": book.lift_all()}

    @app.delete("/chaos/scripts/{name}")
    async def lift(request: Request, name: str) -> dict[str, int]:
        require_chaos_access(request, token=token)
        if not book.lift(name):
            raise Refusal(status=404, code="NOT_FOUND", message=f"no script is named {name!r}")
        return {"lifted": 1}

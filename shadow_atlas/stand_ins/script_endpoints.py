"""Offer the endpoints beside a stand-in: health, scripts, and what was received."""

import json
from collections.abc import Iterator, Mapping
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shadow_atlas.answers import Refusal
from shadow_atlas.chaos_access import require_chaos_access
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


def script_endpoints(
    *,
    dialect: Dialect,
    token: str | None,
    book: ScriptBook,
    record: ReceivedRecord,
    health: Mapping[str, object],
) -> list[Route]:
    """Return `/v1/health`, `/chaos/scripts` and `/chaos/received`.

    Everything under `/chaos` answers 404 without the run's token, and to other hosts.

    Args:
        dialect: Reads scripts.
        token: The run's token; None hides the endpoints.
        book: Holds the scripts.
        record: Holds what was received.
        health: What the stand-in says of itself, besides being healthy.
    """

    async def tell_health(_request: Request) -> Response:
        return JSONResponse({"status": "healthy", **health})

    return [
        Route("/v1/health", tell_health, methods=["GET"]),
        *_setting(dialect, token, book),
        *_lifting(token, book),
        *_reading(token, book, record),
    ]


def _reading(token: str | None, book: ScriptBook, record: ReceivedRecord) -> Iterator[Route]:
    async def list_scripts(request: Request) -> Response:
        require_chaos_access(request, token=token)
        scripts = [
            {**script_document(script), "matched": matched, "acted": acted}
            for script, matched, acted in book.scripts()
        ]
        return JSONResponse({"scripts": scripts})

    async def received(request: Request) -> Response:
        require_chaos_access(request, token=token)
        return JSONResponse(record.summary())

    yield Route("/chaos/scripts", list_scripts, methods=["GET"])
    yield Route("/chaos/received", received, methods=["GET"])


def _setting(dialect: Dialect, token: str | None, book: ScriptBook) -> Iterator[Route]:
    async def set_script(request: Request) -> Response:
        require_chaos_access(request, token=token)
        try:
            script = dialect.read(json.loads(await request.body()))
            book.add(script)
        except ValueError as error:  # ScriptRejected, a full book, and text that is not JSON
            raise Refusal(status=400, code="SCRIPT_REJECTED", message=str(error)) from error
        return JSONResponse({"name": script.name}, status_code=201)

    yield Route("/chaos/scripts", set_script, methods=["POST"])


def _lifting(token: str | None, book: ScriptBook) -> Iterator[Route]:
    async def lift_all(request: Request) -> Response:
        require_chaos_access(request, token=token)
        return JSONResponse({"lifted": book.lift_all()})

    async def lift(request: Request) -> Response:
        require_chaos_access(request, token=token)
        name = request.path_params["name"]
        if not book.lift(name):
            raise Refusal(status=404, code="NOT_FOUND", message=f"no script is named {name!r}")
        return JSONResponse({"lifted": 1})

    yield Route("/chaos/scripts", lift_all, methods=["DELETE"])
    yield Route("/chaos/scripts/{name}", lift, methods=["DELETE"])

"""Build the FastAPI application of a service."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from shadow_atlas.answers import Refusal, error_response
from shadow_atlas.surroundings import Surroundings, furnish

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def build_application(
    surroundings: Surroundings, *, title: str, body_limit_bytes: int, lifespan: Lifespan
) -> FastAPI:
    """Build an application that answers `/events` and `/metrics` and records every call.

    Its documentation pages are off: they would load scripts from a foreign host.
    """
    app = FastAPI(title=title, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    furnish(app, surroundings, body_limit_bytes=body_limit_bytes)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    return app


async def _answer_validation_error(_request: Request, error: Exception) -> Response:
    where = "unknown"
    if isinstance(error, RequestValidationError) and error.errors():
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
    return error_response(
        Refusal(status=400, code="BAD_REQUEST", message=f"{where} is missing or has a wrong type")
    )

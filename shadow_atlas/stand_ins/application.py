"""Put a stand-in together: what it plays, and the service endpoints beside it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from shadow_atlas.service_settings import ServiceSettings
from shadow_atlas.stand_ins.received import ReceivedRecord
from shadow_atlas.stand_ins.script_book import ScriptBook
from shadow_atlas.stand_ins.script_endpoints import Dialect, script_endpoints
from shadow_atlas.stand_ins.stand_in import Desk, StandIn
from shadow_atlas.stopping import watch_for_stop
from shadow_atlas.surroundings import Surroundings, furnish


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a stand-in plays.

    Args:
        desk: What it publishes.
        dialect: Which scripts mean something to it.
        paths: How the paths of its upstream begin; all others are the service's own.
        health: What it says of itself, besides being healthy.
        subjects: What its summary counts requests by.
    """

    desk: Desk
    dialect: Dialect
    paths: tuple[str, ...]
    health: Mapping[str, object]
    subjects: str


class Divided:
    """Send the paths of the upstream to what plays it, all others to the service's endpoints.

    The player gets the server's own `send`: a middleware would keep it from cutting connections.

    Args:
        player: Answers as the upstream.
        paths: How the paths of the upstream begin.
        endpoints: Answers everything else, and runs the lifespan.
    """

    def __init__(self, *, player: ASGIApp, paths: tuple[str, ...], endpoints: Starlette) -> None:
        self.endpoints = endpoints
        self._player = player
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one connection on."""
        is_query = scope["type"] == "http" and scope["path"].startswith(self._paths)
        await (self._player if is_query else self.endpoints)(scope, receive, send)


def build_stand_in(service: ServiceSettings, role: Role, surroundings: Surroundings) -> Divided:
    """Build the application of a stand-in.

    Args:
        service: What every service is told.
        role: What it plays.
        surroundings: What it is handed.
    """
    stopping = asyncio.Event()
    book = ScriptBook(seed=f"{service.name}:{surroundings.rng.getrandbits(64)}")
    record = ReceivedRecord(
        surroundings.event_sink, registry=surroundings.metrics_registry, subjects=role.subjects
    )
    player = StandIn(
        desk=role.desk, book=book, record=record, clock=surroundings.clock, stopping=stopping
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(watch_for_stop(surroundings.event_sink, stopping))
            yield
            stopping.set()
            watch.cancel()

    routes = script_endpoints(
        dialect=role.dialect,
        token=service.chaos_token,
        book=book,
        record=record,
        health=role.health,
    )
    endpoints = Starlette(routes=routes, lifespan=lifespan)
    furnish(endpoints, surroundings, body_limit_bytes=service.body_limit_bytes)
    return Divided(player=player, paths=role.paths, endpoints=endpoints)

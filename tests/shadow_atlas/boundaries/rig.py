"""An api in this process, with a real database and the TIGERweb stand-in as its upstreams."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import httpx
from prometheus_client import CollectorRegistry

from resilience import create_stack
from shadow_atlas.api import create_app
from shadow_atlas.environment import Address
from shadow_atlas.events import EventFile, EventLog
from shadow_atlas.settings import BoundarySettings
from tests.shadow_atlas.fake_clock import FakeClock
from tests.shadow_atlas.postgres import Cluster, connect
from tests.shadow_atlas.running import TOKEN, RunningApi, api_settings
from tests.shadow_atlas.service_process import StandIns

Result = TypeVar("Result")
LOOP_PAUSE_S = 15.0
FINGERPRINT = """
    SELECT array_agg(id || digest || name ORDER BY id)::text || (
        SELECT array_agg(version || source ORDER BY version)::text FROM boundary_versions
    ) FROM areas
"""


class PatientClock(FakeClock):
    """Never wakes the loop of the updates, whose shortest pause is 20 s; back-offs are shorter."""

    async def sleep(self, seconds: float) -> None:
        if seconds >= LOOP_PAUSE_S:
            await asyncio.Event().wait()
        await super().sleep(seconds)


async def sql(cluster: Cluster, statement: str, *values: object) -> Any:
    """Run one statement, and return its first value if it has one."""
    connection = await connect(cluster)
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


@dataclass
class Rig:
    """What the tests of refreshes have in common."""

    cluster: Cluster
    stand_ins: StandIns
    folder: Path

    @property
    def settings(self) -> BoundarySettings:
        host, _, port = self.stand_ins.variables["ATLAS_TIGER_ADDRESS"].partition(":")
        return BoundarySettings(tiger=Address(host=host, port=int(port)))

    async def sql(self, statement: str, *values: object) -> Any:
        return await sql(self.cluster, statement, *values)

    async def fingerprint(self) -> str:
        """Everything that a refresh may change."""
        text: str = await self.sql(FINGERPRINT)
        return text

    def run(self, scenario: Callable[[RunningApi], Awaitable[Result]], **changes: Any) -> Result:
        """Run one api, and a scenario with it; bounded for a machine that is busy otherwise."""

        async def main() -> Result:
            async with asyncio.timeout(60), self.api("api", **changes) as api:
                return await scenario(api)

        return asyncio.run(main())

    @asynccontextmanager
    async def api(self, name: str, **changes: Any) -> AsyncIterator[RunningApi]:
        """Run an api; `changes` are of its boundary settings."""
        clock = PatientClock()
        path = self.folder / f"{name}.ndjson"
        log = EventLog(service="api", incarnation=name, clock=clock, file=EventFile(path))
        app = create_app(
            api_settings(self.cluster.address, boundaries=replace(self.settings, **changes)),
            clock=clock,
            rng=random.Random(name),
            metrics_registry=CollectorRegistry(),
            event_sink=log,
            resilience=create_stack,
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api") as client,
        ):
            yield RunningApi(client=client, clock=clock, log=log, path=path)
        log.close()


async def refresh(api: RunningApi) -> httpx.Response:
    """Ask for a refresh as an operator does."""
    return await api.client.post("/v1/boundaries/refresh", headers={"x-atlas-chaos-token": TOKEN})


async def health(api: RunningApi) -> dict[str, Any]:
    document: dict[str, Any] = (await api.client.get("/v1/health")).json()
    return document

"""Run the ipfs service in this process, beside gateways that are processes of their own."""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from resilience import create_stack
from shadow_atlas.events import EventFile, EventLog
from shadow_atlas.gateways.snapshots import make_snapshots
from shadow_atlas.ipfs import IpfsSettings, create_app
from tests.shadow_atlas.fake_clock import FakeClock
from tests.shadow_atlas.running import read_events
from tests.shadow_atlas.service_process import TOKEN

SNAPSHOTS = {snapshot.state: snapshot for snapshot in make_snapshots()}
WISCONSIN = SNAPSHOTS["WI"]


@dataclass
class PausingClock(FakeClock):
    """Passes over pauses, and remembers them."""

    pauses_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    async def sleep(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        await super().sleep(seconds)


@dataclass
class RunningIpfs:
    """The service, its clock and its record."""

    client: httpx.AsyncClient
    clock: PausingClock
    path: Path
    app: FastAPI

    async def sync(self, cid: str = WISCONSIN.name, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(f"/v1/snapshots/{cid}/sync", headers=sent)

    async def read(self, cid: str = WISCONSIN.name) -> httpx.Response:
        return await self.client.get(f"/v1/snapshots/{cid}")

    async def fault(self, **document: Any) -> None:
        answer = await self.client.post(
            "/chaos/faults", json=document, headers={"x-atlas-chaos-token": TOKEN}
        )
        answer.raise_for_status()

    async def breakers(self) -> dict[str, str]:
        states: dict[str, str] = (await self.client.get("/v1/health")).json()["breakers"]
        return states

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in read_events(self.path) if each["kind"] == kind]


def settings(variables: Mapping[str, str], *, time_scale: float = 1.0, **changes: Any):
    """Read the settings of a service, and change some."""
    read = IpfsSettings.from_environment(
        {
            "ATLAS_SERVICE": "ipfs",
            "ATLAS_PORT": "1",
            "ATLAS_CHAOS_TOKEN": TOKEN,
            "ATLAS_TIME_SCALE": str(time_scale),
            **variables,
        }
    )
    return replace(read, **changes)


@asynccontextmanager
async def running(chosen: IpfsSettings, folder: Path) -> AsyncIterator[RunningIpfs]:
    """Run a service whose pauses take no time; its timeouts are real."""
    clock = PausingClock()
    path = folder / "ipfs.1.ndjson"
    log = EventLog(service="ipfs", incarnation="1", clock=clock, file=EventFile(path))
    app = create_app(
        chosen,
        clock=clock,
        rng=random.Random(1),
        metrics_registry=CollectorRegistry(),
        event_sink=log,
        resilience=create_stack,
    )
    # As from this host, where chaos endpoints answer.
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("127.0.0.1", 1))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://ipfs", timeout=20) as client,
    ):
        yield RunningIpfs(client=client, clock=clock, path=path, app=app)
    log.close()

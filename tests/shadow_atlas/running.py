"""Run services for tests: an application in this process, or a process of its own."""

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from resilience import create_stack
from shadow_atlas.api import create_app
from shadow_atlas.environment import Address
from shadow_atlas.events import EventFile, EventLog
from shadow_atlas.service_settings import ServiceSettings
from shadow_atlas.settings import ApiSettings, DatabaseSettings
from tests.shadow_atlas.fake_clock import FakeClock
from tests.shadow_atlas.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 20.0
TOKEN = "opensesame"  # noqa: S105 -- opens only what a test started


def api_settings(address: Address, **changes: Any) -> ApiSettings:
    """Settings of an api in this process."""
    service = ServiceSettings(
        name="api", host="127.0.0.1", port=1, app="unused:unused", chaos_token=TOKEN
    )
    return ApiSettings(service=service, database=DatabaseSettings(address=address), **changes)


def api_application(settings: ApiSettings, *, clock: FakeClock, log: EventLog) -> FastAPI:
    """Build an api around the reference layer, with a registry of its own."""
    return create_app(
        settings,
        clock=clock,
        rng=random.Random(1),
        metrics_registry=CollectorRegistry(),
        event_sink=log,
        resilience=create_stack,
    )


@dataclass
class RunningApi:
    """An api in this process: its client, its clock and its record."""

    client: httpx.AsyncClient
    clock: FakeClock
    log: EventLog
    path: Path

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in read_events(self.path) if each["kind"] == kind]

    async def lookup(self, lat: object, lon: object, **headers: str) -> httpx.Response:
        return await self.client.get(
            "/v1/lookup", params={"lat": str(lat), "lon": str(lon)}, headers=headers
        )


@asynccontextmanager
async def api_in_process(settings: ApiSettings, folder: Path) -> AsyncIterator[RunningApi]:
    """Run an api on a clock that stands still until the test moves it."""
    clock = FakeClock()
    path = folder / f"api-{id(settings)}.ndjson"
    log = EventLog(service="api", incarnation="1", clock=clock, file=EventFile(path))
    app = api_application(settings, clock=clock, log=log)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api") as client,
    ):
        yield RunningApi(client=client, clock=clock, log=log, path=path)
    log.close()


@dataclass
class ServiceProcess:
    """A service in a process of its own."""

    process: subprocess.Popen[bytes]
    port: int
    event_file: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, **options: Any) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=20, **options)

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        return [each for each in read_events(self.event_file) if kind in {None, each["kind"]}]


@contextmanager
def api_process(
    folder: Path, database: Address, *, listener: socket.socket | None = None, **variables: str
) -> Iterator[ServiceProcess]:
    """Start `python -m shadow_atlas.api`, wait for its health, and kill what is left at the end."""
    port = free_port() if listener is None else listener.getsockname()[1]
    inherited = () if listener is None else (listener.fileno(),)
    environment = {
        **service_environment(database),
        "ATLAS_PORT": str(port),
        "ATLAS_EVENT_DIR": str(folder),
        "ATLAS_CHAOS_TOKEN": TOKEN,
        **variables,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "shadow_atlas.api"],
        env=environment,
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        pass_fds=inherited,
    )
    running = ServiceProcess(process=process, port=port, event_file=folder / "api.1.ndjson")
    try:
        wait_for(running, lambda health: health["service"] == "api")
        yield running
    finally:
        process.kill()
        process.wait(timeout=20)


def service_environment(database: Address) -> dict[str, str]:
    """Variables of an api but for its port."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "ATLAS_SERVICE": "api",
        "ATLAS_DB_ADDRESS": str(database),
    }


def wait_for(running: ServiceProcess, holds: Any) -> dict[str, Any]:
    """Ask for health until it satisfies `holds`, at most 20 s."""
    give_up_s = time.monotonic() + START_WITHIN_S  # noqa: TID251 -- real processes, real time
    with running.client() as client:
        while time.monotonic() < give_up_s:  # noqa: TID251
            try:
                health: dict[str, Any] = client.get("/v1/health").json()
            except httpx.TransportError:
                assert running.process.poll() is None, "the service ended while it started"
            else:
                if holds(health):
                    return health
            time.sleep(0.02)  # noqa: TID251 -- a poll, bounded by the loop
    raise AssertionError(f"no such health within {START_WITHIN_S} s")


def read_events(path: Path) -> list[dict[str, Any]]:
    """Read all records; a torn line is an error."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Leave fields out that differ from run to run."""
    return {name: value for name, value in record.items() if name not in names}

"""Run the batch service inside a test, on a real database and real stand-ins."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry

from resilience import RetryConfig, create_stack
from shadow_atlas.batch import BatchSettings, create_app
from shadow_atlas.batch.service import Batch
from shadow_atlas.clock import SystemClock
from shadow_atlas.events import EventFile, EventLog
from tests.shadow_atlas.postgres import Cluster
from tests.shadow_atlas.service_process import TOKEN, ServiceProcess, StandIns

SCALE = 0.02  # back-offs of 10 and 20 ms, a circuit stays open for 1.2 or 2.4 s
WAIT_TRIES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRig:
    """Everything around one batch service."""

    cluster: Cluster
    stand_ins: StandIns
    folder: Path
    variables: Mapping[str, str]

    def settings(self, **variables: str) -> BatchSettings:
        settings = BatchSettings.from_environment(
            {
                "ATLAS_SERVICE": "batch",
                "ATLAS_PORT": "1",
                "ATLAS_CHAOS_TOKEN": TOKEN,
                "ATLAS_TIME_SCALE": str(SCALE),
                **self.variables,
                **variables,
            }
        )
        # What is bounded by the machine and not by a test would be too short at this scale.
        assert settings.request.retry is not None
        retry = replace(settings.request.retry, attempt_timeout_s=3.0, total_timeout_s=15.0)
        return replace(
            settings,
            request=replace(settings.request, retry=retry),
            extraction=replace(settings.extraction, retry=_patient(settings.extraction.retry)),
            database=replace(settings.database, connect_timeout_s=5.0, command_timeout_s=5.0),
            queue=replace(settings.queue, lease_s=3.0, poll_s=0.05, drain_s=2.0),
        )

    def with_request_retry(self, **changes: float) -> BatchSettings:
        """Return settings whose portal stacks retry differently."""
        settings = self.settings()
        assert settings.request.retry is not None
        retry = replace(settings.request.retry, **changes)  # type: ignore[arg-type]
        return replace(settings, request=replace(settings.request, retry=retry))

    @asynccontextmanager
    async def running(
        self,
        settings: BatchSettings | None = None,
        *,
        resilience: Any = create_stack,
        incarnation: str = "1",
    ) -> AsyncIterator["RunningBatch"]:
        """Run the service in this event loop, without a socket of its own."""
        path = self.folder / f"batch.{incarnation}.ndjson"
        log = EventLog(
            service="batch", incarnation=incarnation, clock=SystemClock(), file=EventFile(path)
        )
        app = create_app(
            settings or self.settings(),
            clock=SystemClock(),
            rng=random.Random(7),
            metrics_registry=CollectorRegistry(),
            event_sink=log,
            resilience=resilience,
        )
        transport = httpx.ASGITransport(app=app)
        try:
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://batch") as client,
            ):
                yield RunningBatch(batch=app.state.batch, client=client, events_path=path)
        finally:
            log.close()

    def process(self, *, incarnation: str = "1", **variables: str) -> ServiceProcess:
        """Return the service as a process that is not started yet."""
        return ServiceProcess(
            "batch",
            name="batch",
            folder=self.folder,
            incarnation=incarnation,
            **{**self.variables, **variables},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningBatch:
    """A batch service inside the test, and a client of it."""

    batch: Batch
    client: httpx.AsyncClient
    events_path: Path

    async def extract(
        self, state: str = "WI", layer: str = "county", *, call_id: str = "call-1"
    ) -> httpx.Response:
        return await self.client.post(
            "/v1/extractions",
            json={"state": state, "layer": layer},
            headers={"x-atlas-call-id": call_id},
        )

    async def submit(self, states: list[str], layers: list[str]) -> str:
        response = await self.client.post("/v1/jobs", json={"states": states, "layers": layers})
        response.raise_for_status()
        job_id: str = response.json()["id"]
        return job_id

    async def job(self, job_id: str) -> dict[str, Any]:
        document: dict[str, Any] = (await self.client.get(f"/v1/jobs/{job_id}")).json()
        return document

    async def results(self, job_id: str) -> dict[tuple[str, str], dict[str, Any]]:
        document = (await self.client.get(f"/v1/jobs/{job_id}/results")).json()
        return {(each["state"], each["layer"]): each for each in document["results"]}

    async def until(self, job_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the status of a job satisfies `holds`, at most about 10 s."""
        for _ in range(WAIT_TRIES):
            status = await self.job(job_id)
            if holds(status):
                return status
            await asyncio.sleep(0.025)
        raise AssertionError(f"job {job_id} stays {status}")

    def events(self, kind: str) -> list[dict[str, Any]]:
        records = [json.loads(line) for line in self.events_path.read_bytes().splitlines()]
        return [record for record in records if record["kind"] == kind]


def _patient(retry: RetryConfig | None) -> RetryConfig:
    assert retry is not None
    return replace(retry, total_timeout_s=60.0)


def is_complete(status: dict[str, Any]) -> bool:
    return bool(status["status"] == "complete")

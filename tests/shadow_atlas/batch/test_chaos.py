"""Faults injected at the extractor, and the database going away."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from resilience import BreakerState, CircuitOpen
from shadow_atlas.batch.extraction import Call
from shadow_atlas.batch.service import Batch
from shadow_atlas.portal_queries.catalogue import Layer
from tests.shadow_atlas.batch.rig import BatchRig, is_complete
from tests.shadow_atlas.service_process import TOKEN

pytestmark = pytest.mark.slow

CHAOS = {"x-atlas-chaos-token": TOKEN}


class CountingExtractor:
    """Pass calls on to the real extractor, and count those of `extract_layer`."""

    def __init__(self, batch: Batch, *, fail_first: int = 0, error: Any = TimeoutError) -> None:
        self.calls = 0
        self._extractor = batch.orchestrator.extractor
        self._fail_first = fail_first
        self._error = error
        batch.orchestrator.extractor = self

    async def extract_layer(self, state: str, layer: Layer, *, call: Call) -> Any:
        self.calls += 1
        if self.calls <= self._fail_first:
            raise self._error("ETIMEDOUT")
        return await self._extractor.extract_layer(state, layer, call=call)

    async def extract_from_tiger(self, state: str, layer: Layer, *, call: Call) -> Any:
        return await self._extractor.extract_from_tiger(state, layer, call=call)


def test_one_transient_timeout_makes_exactly_two_attempts(rig: BatchRig):
    async def scenario() -> tuple[int, int]:
        async with rig.running() as service:
            extractor = CountingExtractor(service.batch, fail_first=1)
            extraction = await service.batch.orchestrator.execute_task(
                "WI", Layer.CONGRESSIONAL, call=Call(call_id="guide-1")
            )
            return extractor.calls, extraction.boundaries.feature_count

    assert asyncio.run(scenario()) == (2, 8)


def test_five_failing_calls_open_the_breaker_and_health_is_not_healthy(rig: BatchRig):
    async def scenario() -> None:
        async with rig.running() as service:
            extractor = CountingExtractor(service.batch, fail_first=100, error=RuntimeError)
            orchestrator = service.batch.orchestrator
            for number in range(5):
                with pytest.raises(RuntimeError):
                    await orchestrator.execute_task(
                        "WI", Layer.CONGRESSIONAL, call=Call(call_id=f"guide-{number}")
                    )

            with pytest.raises(CircuitOpen):
                await orchestrator.execute_task(
                    "WI", Layer.CONGRESSIONAL, call=Call(call_id="guide-6")
                )
            health = (await service.client.get("/v1/health")).json()
            assert extractor.calls == 5
            assert health["level"] != "healthy"
            assert health["breakers"]["state-extraction"] == BreakerState.OPEN.value

    asyncio.run(scenario())


def test_half_of_all_calls_failing_is_survived_by_retries_and_fallbacks(rig: BatchRig):
    async def scenario() -> tuple[int, int]:
        async with rig.running() as service:
            fault = {"fault": "network_failure", "probability": 0.5, "error": "ECONNREFUSED"}
            response = await service.client.post("/chaos/faults", json=fault, headers=CHAOS)
            assert response.status_code == 201
            responses = [await service.extract("DC", call_id=f"half-{n}") for n in range(100)]
            acted = len(service.events("chaos"))
            return sum(each.status_code == 200 for each in responses), acted

    succeeded, acted = asyncio.run(scenario())

    assert succeeded > 80
    assert acted > 50  # of at least 100 draws at one half: fewer means that it hardly bit


def test_a_damaged_extraction_is_not_taken_for_a_good_one(rig: BatchRig):
    async def scenario() -> list[int]:
        async with rig.running() as service:
            fault = {"fault": "data_corruption", "size_bytes": 200}
            await service.client.post("/chaos/faults", json=fault, headers=CHAOS)
            return [(await service.extract("DC", call_id=f"{n}")).status_code for n in range(5)]

    assert asyncio.run(scenario()) == [502] * 5


@pytest.mark.parametrize("fault", ["timeout", "upstream_error", "network_failure"])
def test_injected_faults_are_recorded_with_their_call(rig: BatchRig, fault):
    async def scenario() -> list[dict[str, Any]]:
        async with rig.running() as service:
            document = {"fault": fault, "fail_first": 1}
            if fault == "timeout":
                document["delay_s"] = 0.01
            await service.client.post("/chaos/faults", json=document, headers=CHAOS)
            response = await service.extract("DC", call_id="shaken")
            assert response.headers["x-atlas-source"] == "primary"
            return service.events("chaos")

    (event,) = asyncio.run(scenario())

    assert (event["fault"], event["call_id"]) == (fault, "shaken")


def test_without_its_database_the_service_says_when_to_come_back(rig: BatchRig):
    async def scenario() -> None:
        async with rig.running() as service:
            await service.submit(["DC"], ["county"])
            rig.cluster.stop(mode="immediate")
            body = {"states": ["DC"], "layers": ["county"]}

            response = await service.client.post("/v1/jobs", json=body)

            assert response.status_code == 503
            assert int(response.headers["retry-after"]) >= 1

    asyncio.run(scenario())


def test_a_restart_of_the_database_is_survived_by_running_tasks(rig: BatchRig):
    rig.stand_ins.script("portal_wi", latency_s=0.3)
    settings = rig.settings()
    queue = replace(settings.queue, lease_s=60.0, heartbeat_s=0.1)

    async def scenario() -> None:
        async with rig.running(replace(settings, queue=queue)) as service:
            job_id = await service.submit(["WI"], ["county"])
            await service.until(job_id, lambda status: status["tasks"]["running"] == 1)
            await asyncio.to_thread(rig.cluster.stop, mode="immediate")
            await asyncio.to_thread(rig.cluster.start)

            status = await service.until(job_id, is_complete)

            assert status["tasks"]["done"] == 1
            # One start: the result was kept until the database took it, not made again.
            whats = [each["what"] for each in service.events("work_item")]
            assert whats == ["accepted", "started", "finished"]

    asyncio.run(scenario())

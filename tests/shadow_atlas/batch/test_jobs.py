"""Durable jobs: real stand-ins, a real database, the whole service in this process."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from shadow_atlas.batch.settling import settle_return
from shadow_atlas.batch.tasks import Claim, TaskStatus
from shadow_atlas.portal_queries.catalogue import STATES, Layer
from tests.shadow_atlas.batch.rig import BatchRig, RunningBatch, is_complete

pytestmark = pytest.mark.slow

LAYERS = [layer.value for layer in Layer]


def test_a_job_extracts_every_layer_that_exists_and_skips_the_others(rig: BatchRig):
    async def scenario() -> None:
        async with rig.running() as service:
            job_id = await service.submit(list(STATES), LAYERS)

            status = await service.until(job_id, is_complete)

            assert status["tasks"] == _counts(done=22, skipped=2)
            results = await service.results(job_id)
            assert results["WI", "county"]["feature_count"] == 72
            assert results["NE", "state_house"]["status"] == "skipped"
            assert {each["source"] for each in results.values()} == {"primary", None}

    asyncio.run(scenario())


def test_the_record_tells_the_life_of_every_task(rig: BatchRig):
    async def scenario() -> None:
        async with rig.running() as service:
            job_id = await service.submit(["NE"], ["county", "state_house"])
            await service.until(job_id, is_complete)

            lives: dict[str, list[str]] = {}
            for each in service.events("work_item"):
                lives.setdefault(each["key"], []).append(each["what"])

            assert lives == {
                f"{job_id}:NE:county": ["accepted", "started", "finished"],
                f"{job_id}:NE:state_house": ["accepted", "skipped"],
            }

    asyncio.run(scenario())


def test_a_malformed_answer_fails_the_task_with_its_reason(rig: BatchRig):
    rig.stand_ins.script("portal_co", body="malformed")

    async def scenario() -> None:
        async with rig.running() as service:
            job_id = await service.submit(["CO"], ["county"])

            status = await service.until(job_id, is_complete)

            assert status["tasks"] == _counts(failed=1)
            result = (await service.results(job_id))["CO", "county"]
            assert "fewer than 4 positions" in result["reason"]
            assert result["attempts"] == 1
            assert len(rig.stand_ins.received("portal_co")) == 1

    asyncio.run(scenario())


def test_a_fallback_result_is_degraded_and_becomes_done_when_the_portal_is_back(rig: BatchRig):
    rig.stand_ins.script("portal_ny", status=503)

    async def scenario() -> None:
        async with rig.running() as service:
            job_id = await service.submit(["NY"], ["county"])

            usable = await service.until(job_id, lambda status: status["tasks"]["degraded"] == 1)
            degraded = (await service.results(job_id))["NY", "county"]
            queued = (await service.client.get("/v1/queue")).json()["tasks"]
            rig.stand_ins.lift("portal_ny")
            complete = await service.until(job_id, is_complete)

            assert usable["status"] == "usable"
            assert (queued["open"], queued["degraded"]) == (1, 1)
            assert degraded["source"] == "degraded"
            assert complete["tasks"] == _counts(done=1)
            assert (await service.results(job_id))["NY", "county"]["source"] == "primary"
            whats = [each["what"] for each in service.events("work_item")]
            assert whats == ["accepted", "started", "degraded", "started", "finished"]

    asyncio.run(scenario())


def test_a_degraded_result_stands_once_its_refreshes_are_used_up(rig: BatchRig):
    rig.stand_ins.script("portal_ny", status=503)
    settings = rig.settings()
    queue = replace(settings.queue, refresh_initial_s=0.1, refresh_max_s=0.1, refreshes_max=2)

    async def scenario() -> None:
        async with rig.running(replace(settings, queue=queue)) as service:
            job_id = await service.submit(["NY"], ["county"])

            status = await service.until(job_id, is_complete)

            assert status["tasks"] == _counts(degraded=1)
            assert (await service.results(job_id))["NY", "county"]["refreshes"] == 2

    asyncio.run(scenario())


def test_transient_exhaustion_is_repeated_and_then_failed(rig: BatchRig):
    rig.stand_ins.script("portal_wi", status=503)
    rig.stand_ins.script("tiger", status=503)
    settings = rig.settings()
    queue = replace(settings.queue, attempts_max=2)

    async def scenario() -> None:
        async with rig.running(replace(settings, queue=queue)) as service:
            job_id = await service.submit(["WI"], ["county"])

            status = await service.until(job_id, is_complete)

            assert status["tasks"] == _counts(failed=1)
            result = (await service.results(job_id))["WI", "county"]
            assert result["attempts"] == 2
            assert "RetryExhausted" in result["reason"]
            assert len(rig.stand_ins.received("portal_wi")) == 6

    asyncio.run(scenario())


def test_a_locally_rejected_task_goes_back_without_spending_an_attempt(rig: BatchRig):
    rig.stand_ins.script("portal_wi", status=503)
    rig.stand_ins.script("tiger", status=503)

    async def scenario() -> None:
        async with rig.running() as service:
            for number in range(3):  # opens the circuit of the state's service
                await service.extract(call_id=f"opening-{number}")
            rig.stand_ins.lift("portal_wi")
            job_id = await service.submit(["WI"], ["county"])

            status = await service.until(job_id, is_complete)

            assert status["tasks"] == _counts(done=1)
            result = (await service.results(job_id))["WI", "county"]
            assert result["attempts"] == 1
            first, *rest = service.events("work_item")[1:]
            assert (first["what"], first["attempt"]) == ("started", 1)
            assert (rest[0]["what"], rest[0]["attempt"]) == ("requeued", 0)
            assert rest[-1]["what"] == "finished"

    asyncio.run(scenario())


def test_a_result_can_be_read_as_geojson(rig: BatchRig):
    async def scenario() -> None:
        async with rig.running() as service:
            job_id = await service.submit(["DC"], ["county"])
            await service.until(job_id, is_complete)

            response = await service.client.get(f"/v1/jobs/{job_id}/results/DC/county")

            assert response.headers["x-atlas-source"] == "primary"
            assert response.headers["content-type"] == "application/geo+json"
            (feature,) = response.json()["features"]
            assert feature["properties"]["GEOID"] == "11001"
            assert (
                await service.client.get(f"/v1/jobs/{job_id}/results/WI/county")
            ).status_code == 404

    asyncio.run(scenario())


def test_progress_is_streamed_to_the_end_of_the_job(rig: BatchRig):
    async def scenario() -> list[dict[str, Any]]:
        async with rig.running() as service:
            job_id = await service.submit(["CT", "DC"], ["county"])
            response = await service.client.get(f"/v1/jobs/{job_id}/progress")
            assert response.headers["content-type"] == "application/x-ndjson"
            return [json.loads(line) for line in response.text.splitlines()]

    lines = asyncio.run(scenario())

    assert lines[-1]["status"] == "complete"
    assert lines[-1]["tasks"] == _counts(done=2)
    dones = [line["tasks"]["done"] for line in lines]
    assert dones == sorted(dones)


def test_a_repeated_idempotency_key_makes_one_job(rig: BatchRig):
    async def scenario() -> None:
        async with rig.running() as service:
            first = await _post(service, ["CT"], ["county"], key="once")
            again = await _post(service, ["CT"], ["county"], key="once")
            other = await _post(service, ["DC"], ["county"], key="once")

            assert (first.status_code, again.status_code) == (202, 202)
            assert first.json()["id"] == again.json()["id"]
            assert (first.json()["created"], again.json()["created"]) == (True, False)
            assert other.status_code == 409

    asyncio.run(scenario())


def test_what_cannot_be_meant_is_refused_with_the_reason(rig: BatchRig):
    async def scenario() -> dict[str, tuple[int, str]]:
        async with rig.running() as service:
            bodies = {
                "unknown": b'{"states": ["ZZ"], "layers": ["county"]}',
                "not json": b"{",
                "not text": b"\xff",
                "bottomless": b"[" * 100_000,
                "too large": b" " * (1024 * 1024 + 1),
            }
            answers = {}
            for name, body in bodies.items():
                response = await service.client.post("/v1/jobs", content=body)
                answers[name] = (response.status_code, response.json()["error"]["message"])
            return answers

    answers = asyncio.run(scenario())

    statuses = {name: status for name, (status, _) in answers.items()}
    assert statuses == {
        "unknown": 422,
        "not json": 400,
        "not text": 400,
        "bottomless": 400,
        "too large": 413,
    }
    assert "'ZZ'" in answers["unknown"][1]


def test_an_unknown_job_is_not_found(rig: BatchRig):
    ids = ("0", "999999", "x", "-1", "99999999999999999999", "1.0", "\u0661")
    parts = ("", "/results", "/progress", "/results/WI/county")

    async def scenario() -> set[int]:
        async with rig.running() as service:
            paths = [f"/v1/jobs/{job_id}{part}" for job_id in ids for part in parts]
            return {(await service.client.get(path)).status_code for path in paths}

    assert asyncio.run(scenario()) == {404}


async def _post(
    service: RunningBatch, states: list[str], layers: list[str], *, key: str
) -> httpx.Response:
    return await service.client.post(
        "/v1/jobs", json={"states": states, "layers": layers}, headers={"idempotency-key": key}
    )


def _counts(**counts: int) -> dict[str, int]:
    statuses = ("queued", "running", "done", "degraded", "failed", "skipped")
    return {status: counts.get(status, 0) for status in statuses}


def test_a_settlement_whose_answer_was_lost_is_recorded_once_the_database_answers(rig: BatchRig):
    async def scenario() -> None:
        async with rig.running() as service:
            guard, lost = _LosingAnswers("settle"), []
            guard.inner = service.batch.store._guard
            service.batch.store._guard = guard
            job_id = await service.submit(["DC"], ["county"])

            await service.until(job_id, is_complete)
            async with asyncio.timeout(10):
                while "finished" not in lost:
                    lost = [each["what"] for each in service.events("work_item")]
                    await asyncio.sleep(0.01)

            assert guard.lost == 1
            assert lost == ["accepted", "started", "finished"]

    asyncio.run(scenario())


def test_a_claim_that_another_worker_has_taken_over_settles_nothing(rig: BatchRig):
    async def scenario() -> None:
        async with rig.running() as service:
            job_id = await service.submit(["DC"], ["county"])
            await service.until(job_id, is_complete)
            stale = Claim(
                job_id=int(job_id),
                state="DC",
                layer=Layer.COUNTY,
                status=TaskStatus.RUNNING,
                claim=0,  # no sequence begins there
                attempts=0,
                refreshes=0,
                lost_claims=0,
                age_s=1.0,
            )

            assert not await service.batch.store.settle(stale, settle_return(stale))
            assert (await service.job(job_id))["tasks"] == _counts(done=1)

    asyncio.run(scenario())


class _LosingAnswers:
    """Let a transaction be committed and its first answer be lost."""

    def __init__(self, operation: str) -> None:
        self.inner: Any = None
        self.lost = 0
        self._operation = operation

    async def call(self, operation: str, work: Any) -> Any:
        answer = await self.inner.call(operation, work)
        if operation == self._operation and not self.lost:
            self.lost += 1
            raise ConnectionResetError("the answer was lost")
        return answer

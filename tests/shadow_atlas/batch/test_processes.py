"""The batch service as a process: killed, stopped and started again over the same database."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import httpx
import pytest

from shadow_atlas.portal_queries.catalogue import STATES, Layer
from tests.shadow_atlas.batch.rig import BatchRig
from tests.shadow_atlas.postgres import Cluster, connect
from tests.shadow_atlas.service_process import ServiceProcess, StandIns

pytestmark = pytest.mark.slow

LAYERS = [layer.value for layer in Layer]
POLLS_MAX = 200
SUBMISSIONS_MAX = 20
SLOW_SCALE = "0.1"  # leases of 2 s: a killed worker's tasks are due again within that time


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=15) as client:
        yield client


def test_a_killed_worker_loses_no_task_and_doubles_no_result(rig: BatchRig, client):
    _slow_down(rig.stand_ins, latency_s=0.15)
    with _process(rig, "1") as first:
        job_id = _submit(client, first, list(STATES), LAYERS)
        status = _until(client, first, job_id, lambda counts: counts["done"] >= 3)
        assert status["tasks"]["running"] > 0  # the kill has to hit work in progress
        first.kill()

    rig.stand_ins.begin()
    with _process(rig, "2") as second:
        status = _until(client, second, job_id, lambda counts: _open(counts) == 0)
        results = client.get(f"{second.url}/v1/jobs/{job_id}/results").json()["results"]
        second.terminate()
        assert second.wait() == 0

    assert status["tasks"] == _counts(done=22, skipped=2)
    assert len({(each["state"], each["layer"]) for each in results}) == len(results) == 24
    finished = Counter(
        each["key"]
        for process in (first, second)
        for each in process.events("work_item")
        if each["what"] == "finished"
    )
    assert len(finished) == 22
    assert set(finished.values()) == {1}


@pytest.mark.parametrize(
    ("app", "is_lost"),
    [
        ("shadow_atlas.batch:create_app", False),
        ("shadow_atlas.planted.claims_that_never_expire:create_app", True),
    ],
)
def test_only_claims_that_never_expire_lose_what_a_killed_worker_held(
    rig: BatchRig, client, app, is_lost
):
    rig.stand_ins.script("portal_wi", hang=True)
    with _process(rig, "1", ATLAS_APP=app) as process:
        job_id = _submit(client, process, ["WI"], ["county"])
        _until(client, process, job_id, lambda counts: counts["running"] == 1)
        process.kill()

    lease_s = asyncio.run(_remaining_lease_s(rig.cluster))

    assert (lease_s > 3600) is is_lost  # the sound one is two seconds at this scale


def test_a_stopped_worker_gives_its_tasks_back_at_once(rig: BatchRig, client):
    rig.stand_ins.script("portal_wi", hang=True)
    with _process(rig, "1") as first:
        job_id = _submit(client, first, ["WI"], ["county"])
        _until(client, first, job_id, lambda counts: counts["running"] == 1)
        first.terminate()
        assert first.wait() == 0
        whats = [each["what"] for each in first.events("work_item")]
        assert whats == ["accepted", "started", "requeued"]

    rig.stand_ins.begin()
    with _process(rig, "2") as second:
        status = _until(client, second, job_id, lambda counts: _open(counts) == 0)
        (result,) = client.get(f"{second.url}/v1/jobs/{job_id}/results").json()["results"]

    assert status["tasks"] == _counts(done=1)
    assert result["attempts"] == 1  # the one that was given back was not spent


def test_an_answer_in_flight_is_sent_before_the_service_ends(rig: BatchRig, client):
    rig.stand_ins.script("portal_wi", latency_s=0.5)
    answers: list[httpx.Response] = []

    def extract(process: ServiceProcess) -> None:
        body = {"state": "WI", "layer": "county"}
        answers.append(client.post(f"{process.url}/v1/extractions", json=body))

    with _process(rig, "1") as process:
        caller = Thread(target=extract, args=(process,))
        caller.start()
        _until_extracting(client, process)
        process.terminate()
        caller.join(timeout=15)
        assert process.wait() == 0

    (answer,) = answers
    assert answer.status_code == 200
    assert [each["status"] for each in process.events("request") if "extractions" in each["path"]]


def test_a_progress_stream_ends_when_the_service_stops(rig: BatchRig, client):
    rig.stand_ins.script("portal_wi", hang=True)
    with _process(rig, "1") as process:
        job_id = _submit(client, process, ["WI"], ["county"])
        with client.stream("GET", f"{process.url}/v1/jobs/{job_id}/progress") as response:
            lines = response.iter_lines()
            first = json.loads(next(lines))
            process.terminate()
            list(lines)
        assert process.wait() == 0

    assert first["status"] == "running"


def test_two_workers_share_a_job_without_doing_a_task_twice(rig: BatchRig, client):
    _slow_down(rig.stand_ins, latency_s=0.05)
    with _process(rig, "1") as first, _process(rig, "2") as second:
        job_id = _submit(client, first, list(STATES), LAYERS)
        _until(client, second, job_id, lambda counts: _open(counts) == 0)

        records = [
            (each["key"], each["what"])
            for process in (first, second)
            for each in process.events("work_item")
        ]

    count = Counter(records)
    finished = {key for key, what in count if what == "finished"}
    assert len(finished) == 22
    for key in finished:
        assert count[key, "finished"] == 1
        # A busy machine may be too slow for a request; such a task went back before it began anew.
        assert count[key, "started"] == 1 + count[key, "requeued"] + count[key, "degraded"]


@contextmanager
def _process(rig: BatchRig, incarnation: str, **variables: str) -> Iterator[ServiceProcess]:
    variables = {"ATLAS_TIME_SCALE": SLOW_SCALE, **variables}
    process = rig.process(incarnation=incarnation, **variables)
    try:
        process.start()
        process.wait_until_ready()
        yield process
    finally:
        process.close()


async def _remaining_lease_s(cluster: Cluster) -> float:
    connection = await connect(cluster)
    try:
        lease_s: float = await connection.fetchval(
            "SELECT extract(epoch FROM claimed_until - now())::double precision FROM batch_tasks"
        )
    finally:
        await connection.close()
    return lease_s


def _slow_down(stand_ins: StandIns, *, latency_s: float) -> None:
    for name in stand_ins.names:
        stand_ins.script(name, latency_s=latency_s)


def _submit(
    client: httpx.Client,
    process: ServiceProcess,
    states: list[str],
    layers: list[str],
    *,
    key: str = "the-job-of-this-test",
) -> str:
    """Submit a job; its key makes repeating safe when a busy machine delays the database."""
    for _ in range(SUBMISSIONS_MAX):
        response = client.post(
            f"{process.url}/v1/jobs",
            json={"states": states, "layers": layers},
            headers={"idempotency-key": key},
        )
        if response.status_code == 202:
            job_id: str = response.json()["id"]
            return job_id
        process.pause()
    raise AssertionError(f"the job was not accepted: {response.text}")


def _until(client: httpx.Client, process: ServiceProcess, job_id: str, holds: Any) -> Any:
    """Poll a job until its counts satisfy `holds`, at most about 20 s."""
    status: Any = None
    for _ in range(POLLS_MAX):
        status = client.get(f"{process.url}/v1/jobs/{job_id}").json()
        if "tasks" in status and holds(status["tasks"]):
            return status
        process.pause()
    raise AssertionError(f"job {job_id} stays {status}")


def _until_extracting(client: httpx.Client, process: ServiceProcess) -> None:
    """Poll the metrics until an extraction holds a slot, at most about 20 s."""
    for _ in range(POLLS_MAX):
        if (
            'bulkhead_active{name="state-extraction"} 1.0'
            in client.get(f"{process.url}/metrics").text
        ):
            return
        process.pause()
    raise AssertionError("no extraction began")


def _open(counts: dict[str, int]) -> int:
    return counts["queued"] + counts["running"]


def _counts(**counts: int) -> dict[str, int]:
    statuses = ("queued", "running", "done", "degraded", "failed", "skipped")
    return {status: counts.get(status, 0) for status in statuses}

"""Synchronisation: from the first gateway that delivers, verified block by block."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from shadow_atlas.content_addressing import FileLimits
from tests.shadow_atlas.ipfs.rig import SNAPSHOTS, WISCONSIN, RunningIpfs, running, settings
from tests.shadow_atlas.service_process import StandIns

pytestmark = pytest.mark.slow

NAMES = ("gateway_a", "gateway_b", "gateway_c")
BLOCKS = len(WISCONSIN.file.blocks)
Work = Callable[[RunningIpfs], Awaitable[Any]]


@pytest.fixture
def run(gateways: StandIns, tmp_path):
    def run_work(work: Work, **changes: Any) -> Any:
        async def whole() -> Any:
            async with running(settings(gateways.variables, **changes), tmp_path) as ipfs:
                return await work(ipfs)

        return asyncio.run(whole())

    return run_work


@pytest.mark.parametrize("snapshot", SNAPSHOTS.values(), ids=lambda each: each.state)
def test_a_snapshot_of_every_form_is_fetched_verified_and_served(run, snapshot):
    async def work(ipfs: RunningIpfs) -> Any:
        return await ipfs.sync(snapshot.name), await ipfs.read(str(snapshot.file.root))

    synced, read = run(work)

    assert synced.status_code == 200
    assert synced.json() == {
        "cid": snapshot.name,
        "size_bytes": len(snapshot.content),
        "gateway": "gateway_a",
        "attempts": 1,
        "source": "primary",
    }
    assert synced.headers["x-atlas-source"] == "primary"
    assert read.content == snapshot.content
    assert read.headers["etag"] == f'"{snapshot.file.root}"'


def test_each_block_is_asked_for_once_under_the_call_of_its_sync(run, gateways):
    run(lambda ipfs: ipfs.sync(x_atlas_call_id="once"))

    received = gateways.received("gateway_a", "once")
    assert [each["path"] for each in received] == [
        f"/ipfs/{cid}" for cid, _ in WISCONSIN.file.blocks
    ]
    assert {each["attempt"] for each in received} == {1}
    assert gateways.received("gateway_b") == []


@pytest.mark.parametrize("body", ["corrupt", "truncated", "empty", "oversize", "wrong_type"])
def test_a_wrong_body_is_rejected_once_and_the_next_gateway_delivers(run, gateways, body):
    gateways.script("gateway_a", match={"block": 0}, body=body)

    synced, read = run(_sync_and_read)

    assert (synced["gateway"], synced["source"], synced["attempts"]) == ("gateway_b", "degraded", 2)
    assert read == WISCONSIN.content
    assert len(gateways.received("gateway_a")) == 1


@pytest.mark.parametrize("block", range(BLOCKS))
def test_a_flipped_bit_in_any_block_is_noticed_and_what_was_good_is_kept(run, gateways, block):
    gateways.script("gateway_a", match={"block": block}, body="corrupt")

    synced, read = run(_sync_and_read)

    assert synced["gateway"] == "gateway_b"
    assert read == WISCONSIN.content
    assert len(gateways.received("gateway_a")) == block + 1
    assert len(gateways.received("gateway_b")) == BLOCKS - block


async def _sync_and_read(ipfs: RunningIpfs) -> tuple[Any, bytes]:
    return (await ipfs.sync()).json(), (await ipfs.read()).content


@pytest.mark.parametrize(
    ("script", "attempts"),
    [
        ({"status": 504}, 3),
        ({"close": "before"}, 3),
        ({"close": "mid"}, 3),
        ({"status": 429}, 1),
        ({"status": 503}, 1),
        ({"status": 502}, 1),
        ({"status": 500}, 1),
        ({"status": 404}, 1),
        ({"status": 302}, 1),
    ],
)
def test_only_what_the_guide_names_is_retried_before_the_next_gateway(
    run, gateways, script, attempts
):
    gateways.script("gateway_a", **script)

    async def work(ipfs: RunningIpfs) -> Any:
        return (await ipfs.sync()).json(), ipfs.clock.pauses_s

    synced, pauses_s = run(work)

    assert synced["gateway"] == "gateway_b"
    assert synced["attempts"] == attempts + 1
    assert [each["attempt"] for each in gateways.received("gateway_a")] == [1, 2, 3][:attempts]
    bounds = [(0.9, 1.1), (1.8, 2.2)][: attempts - 1]  # 1 s and 2 s, with a tenth of jitter
    assert all(low <= pause <= high for pause, (low, high) in zip(pauses_s, bounds, strict=True))


def test_an_attempt_goes_on_where_the_last_one_stopped(run, gateways):
    gateways.script("gateway_a", match={"block": 2}, close="before", attempts=[1])

    synced = run(lambda ipfs: ipfs.sync()).json()

    assert (synced["gateway"], synced["attempts"], synced["source"]) == ("gateway_a", 2, "primary")
    assert len(gateways.received("gateway_a")) == BLOCKS + 1


def test_a_gateway_that_hangs_is_left_for_the_next_one(run, gateways):
    gateways.script("gateway_a", hang=True)

    # An attempt may then take 0.3 s.
    synced = run(lambda ipfs: ipfs.sync(), time_scale=0.01).json()

    assert (synced["gateway"], synced["attempts"]) == ("gateway_b", 4)


def test_a_gateway_that_sends_a_byte_now_and_then_is_cut_off(run, gateways):
    gateways.script("gateway_a", match={"block": 1}, body="trickle", bytes_per_s=1000)

    synced = run(lambda ipfs: ipfs.sync(), time_scale=0.01).json()  # 8 s of trickle, 0.3 s of time

    assert (synced["gateway"], synced["attempts"]) == ("gateway_b", 4)


def test_all_gateways_are_named_with_their_reasons(run, gateways):
    gateways.script("gateway_a", close="before")
    gateways.script("gateway_b", match={"block": 0}, body="corrupt")
    gateways.script("gateway_c", status=404)

    answer = run(lambda ipfs: ipfs.sync())

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "ALL_GATEWAYS_FAILED")
    assert answer.headers["retry-after"] == "1"
    assert error["gateways"] == [
        {"gateway": "gateway_a", "reason": "network_error"},
        {"gateway": "gateway_b", "reason": "corrupt_block"},
        {"gateway": "gateway_c", "reason": "status_404"},
    ]
    assert "x-atlas-rejected-by" not in answer.headers


def test_reasons_that_do_not_pass_are_a_bad_gateway(run):
    unknown = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"

    async def work(ipfs: RunningIpfs) -> Any:
        answers = [await ipfs.sync(unknown) for _ in range(6)]
        return answers[-1], await ipfs.breakers()

    answer, breakers = run(work)

    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "ALL_GATEWAYS_FAILED")
    assert "retry-after" not in answer.headers
    assert set(breakers.values()) == {"closed"}  # a 404 says nothing about a gateway


def test_five_corrupt_answers_open_the_circuit_and_two_good_probes_close_it(run, gateways):
    gateways.script("gateway_a", body="corrupt")

    async def work(ipfs: RunningIpfs) -> Any:
        for _ in range(5):
            await ipfs.sync()
        opened = await ipfs.breakers()
        asked = len(gateways.received("gateway_a"))
        await ipfs.sync()
        assert len(gateways.received("gateway_a")) == asked
        gateways.lift("gateway_a")
        ipfs.clock.advance(60.0)
        sources = [(await ipfs.sync()).json()["source"] for _ in range(2)]
        return opened, sources, await ipfs.breakers()

    opened, sources, closed = run(work)

    assert opened == {
        "ipfs-gateway_a": "open",
        "ipfs-gateway_b": "closed",
        "ipfs-gateway_c": "closed",
    }
    assert sources == ["primary", "primary"]
    assert set(closed.values()) == {"closed"}


def test_failures_that_take_long_open_the_circuit_all_the_same(run, gateways):
    gateways.script("gateway_a", body="corrupt")

    async def work(ipfs: RunningIpfs) -> dict[str, str]:
        for _ in range(5):
            await ipfs.sync()
            ipfs.clock.advance(95.0)  # what a gateway that hangs takes until it has failed
        await ipfs.sync()
        return await ipfs.breakers()

    # One probe has failed meanwhile, at the most: the circuit did open.
    assert run(work)["ipfs-gateway_a"] != "closed"


def test_with_every_circuit_open_nobody_is_asked(run, gateways):
    for name in NAMES:
        gateways.script(name, body="corrupt")

    async def work(ipfs: RunningIpfs) -> Any:
        for _ in range(5):
            await ipfs.sync()
        gateways.begin()
        return await ipfs.sync()

    answer = run(work)

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ALL_GATEWAYS_FAILED")
    assert answer.headers["x-atlas-rejected-by"] == "breaker"
    assert 55 <= int(answer.headers["retry-after"]) <= 60  # the open time is a minute
    assert {each["reason"] for each in answer.json()["error"]["gateways"]} == {"circuit_open"}
    assert [gateways.received(name) for name in NAMES] == [[], [], []]


def test_a_file_that_is_too_large_is_refused_after_its_root(run, gateways):
    limits = FileLimits(file_bytes=len(WISCONSIN.content) - 1)

    async def work(ipfs: RunningIpfs) -> Any:
        answers = [await ipfs.sync() for _ in range(6)]
        return answers[-1], await ipfs.breakers()

    answer, breakers = run(work, limits=limits)

    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "SNAPSHOT_REFUSED")
    assert len(gateways.received("gateway_a")) == 6
    assert gateways.received("gateway_b") == []
    assert set(breakers.values()) == {"closed"}


def test_a_block_that_is_too_large_is_taken_from_nobody(run):
    answer = run(lambda ipfs: ipfs.sync(), limits=FileLimits(block_bytes=8000))

    assert answer.status_code == 502
    assert {each["reason"] for each in answer.json()["error"]["gateways"]} == {"corrupt_block"}


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "%2e%2e",
        "..%2f..%2fetc%2fpasswd",
        "Qm",
        "b" * 200,
        "bafyreihjsq5okmwdasf4hoiauwxv3vxjuwh2kuh4k5pgzzi3hanepxusjm",
        f"{WISCONSIN.name}%00",
        f"{WISCONSIN.name}%2f{WISCONSIN.name}",
        "%F0%9F%92%A5",
    ],
)
def test_what_is_no_cid_is_refused_without_asking_anybody(run, gateways, name):
    async def work(ipfs: RunningIpfs) -> Any:
        return await ipfs.sync(name), await ipfs.read(name)

    for answer in run(work):
        assert answer.status_code in {400, 404}
        assert answer.json()["error"]["code"] in {"BAD_CID", "NOT_FOUND"}
        assert "Traceback" not in answer.text
    assert [gateways.received(each) for each in NAMES] == [[], [], []]


def test_a_large_body_is_refused(run, gateways):
    async def work(ipfs: RunningIpfs) -> Any:
        return await ipfs.client.post(
            f"/v1/snapshots/{WISCONSIN.name}/sync", content=bytes(2 * 1024 * 1024)
        )

    assert run(work).status_code == 413
    assert gateways.received("gateway_a") == []


def test_a_snapshot_that_was_not_synced_is_not_here(run, gateways):
    answer = run(lambda ipfs: ipfs.read())

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_SYNCED")
    assert gateways.received("gateway_a") == []


def test_three_run_five_wait_and_the_rest_is_told_so_while_reads_go_on(run, gateways):
    async def work(ipfs: RunningIpfs) -> Any:
        await ipfs.sync()
        gateways.script("gateway_a", hang=True)
        async with asyncio.TaskGroup() as group:
            syncs = [group.create_task(ipfs.sync()) for _ in range(9)]
            rejected = await _first_done(syncs)
            read, health = await ipfs.read(), await ipfs.client.get("/v1/health")
            gateways.lift("gateway_a")
        return rejected, read, health, [task.result().status_code for task in syncs]

    rejected, read, health, statuses = run(work)

    assert rejected.status_code == 503
    assert rejected.headers["x-atlas-rejected-by"] == "bulkhead"
    assert int(rejected.headers["retry-after"]) >= 1
    assert (read.content, health.status_code) == (WISCONSIN.content, 200)
    assert sorted(statuses) == [200] * 8 + [503]


async def _first_done(tasks: list[asyncio.Task[Any]]) -> Any:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    return done.pop().result()


def test_what_happened_is_on_record(run, gateways):
    gateways.script("gateway_a", match={"block": 1}, body="corrupt")

    async def work(ipfs: RunningIpfs) -> Any:
        await ipfs.sync(x_atlas_call_id="told")
        return {kind: ipfs.events(kind) for kind in ("attempt", "bulkhead", "fallback", "request")}

    told = run(work)

    assert [(each["link"], each["outcome"], each["status"]) for each in told["attempt"]] == [
        ("ipfs -> gateway_a", "failed", 200),
        ("ipfs -> gateway_b", "ok", 200),
    ]
    assert {each["call_id"] for each in told["attempt"]} == {"told"}
    assert [(each["name"], each["decision"]) for each in told["bulkhead"]] == [
        ("ipfs-sync", "admitted"),
        ("ipfs-sync", "released"),
    ]
    [fallback] = told["fallback"]
    assert (fallback["name"], fallback["source"]) == ("ipfs-sync", "degraded")
    assert told["request"][0]["source"] == "degraded"


def test_metrics_show_every_circuit_and_the_one_bulkhead(run):
    text = run(lambda ipfs: ipfs.client.get("/metrics")).text

    for name in NAMES:
        assert f'circuit_breaker_state{{name="ipfs-{name}"}} 0.0' in text
    assert text.count("\nbulkhead_active{") == 1
    assert 'bulkhead_active{name="ipfs-sync"} 0.0' in text


def test_a_failure_inside_the_service_is_failed_over_like_one_outside(run, gateways):
    async def work(ipfs: RunningIpfs) -> Any:
        await ipfs.fault(fault="network_failure", fail_first=3, error="ECONNREFUSED")
        return await ipfs.sync()

    synced = run(work).json()

    assert (synced["gateway"], synced["attempts"]) == ("gateway_b", 4)
    assert gateways.received("gateway_a") == []


def test_damage_inside_the_service_is_noticed_too(run):
    async def work(ipfs: RunningIpfs) -> Any:
        await ipfs.fault(fault="data_corruption", size_bytes=1)
        return await ipfs.sync(), await ipfs.read()

    synced, read = run(work)

    assert {each["reason"] for each in synced.json()["error"]["gateways"]} == {"corrupt_block"}
    assert read.status_code == 404


def test_a_snapshot_that_cannot_be_kept_is_not_called_synced(run, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")

    answer = run(lambda ipfs: ipfs.sync(), snapshot_dir=blocker)

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "STORE_UNAVAILABLE")


def test_content_is_the_published_counties(run):
    counties = json.loads(run(_sync_and_read)[1])["features"]

    assert len(counties) == 72

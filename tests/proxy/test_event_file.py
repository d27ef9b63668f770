"""The event file: what it holds, in which form, and what it leaves out."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from fault_injectors.proxy.event_log import EventLog
from harness.clock import SystemClock
from tests.proxy.live_site import connected, echo, in_loop, sends, site, through, until, upstream

ENVELOPE = ["t_ns", "seq", "service", "incarnation", "kind"]


@in_loop
async def test_every_line_carries_the_envelope_and_seq_has_no_gap(tmp_path: Path):
    async with through(tmp_path, echo, {"type": "noop"}) as (here, client):
        await client.ask(b"ping")
    records = here.events()

    assert all(list(each)[:5] == ENVELOPE for each in records)
    assert [each["seq"] for each in records] == list(range(len(records)))
    assert {(each["service"], each["incarnation"]) for each in records} == {("proxy", "1")}
    assert records[0]["kind"] == "clock"
    assert set(records[0]) == {*ENVELOPE, "schema", "wall_unix_ns"}


@in_loop
async def test_a_connection_is_recorded_with_the_bytes_that_arrived(tmp_path: Path):
    async with through(tmp_path, sends(b"12345")) as (here, client):
        client.writer.write(b"abc")
        await until(lambda: len(here.events("chunk")) == 2)
        await client.ending()
    opened, closed = here.events("connection")

    assert (opened["what"], opened["proxy"], opened["connection"]) == ("opened", "p", 0)
    assert opened["client"].startswith("127.0.0.1:")
    assert (closed["what"], closed["bytes_upstream"], closed["bytes_downstream"]) == (
        "closed",
        3,
        5,
    )
    assert closed["client"] == opened["client"]


@in_loop
async def test_chunks_close_together_are_one_record_dated_at_the_first(tmp_path: Path):
    async with site(tmp_path) as here, upstream(sends(bytes(1_000_000))) as server:
        clock = SystemClock()
        before_ns = clock.now_ns()
        async with connected(await here.proxy(server)) as client:
            await client.ending()
        after_ns = clock.now_ns()
    chunks = here.events("chunk")

    assert sum(each["bytes"] for each in chunks) == 1_000_000
    assert {each["stream"] for each in chunks} == {"downstream"}
    assert all(before_ns <= each["t_ns"] <= after_ns for each in chunks)
    # A record holds at least one read of the loop, and a window of several: far fewer than the
    # 31 chunks of 32 KiB that toxics would have seen.
    assert len(chunks) < 31


@in_loop
async def test_effects_are_recorded_first_per_connection_and_then_at_a_bounded_rate(tmp_path: Path):
    toxic = {"name": "t", "type": "latency", "attributes": {"latency": 1}}
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server, toxic)
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        async with connected(port) as first, connected(port) as second:
            for _ in range(60):
                await first.ask(b"x")
                await second.ask(b"x")
        took_s = loop.time() - started_s
    effects = here.events("toxic_effect")

    assert {each["connection"] for each in effects} == {0, 1}
    assert {(each["what"], each["toxic"], each["stream"]) for each in effects} == {
        ("delayed", "t", "downstream")
    }
    assert len(effects) <= 2 + took_s / 0.1 + 1


@in_loop
async def test_changes_of_toxics_and_proxies_are_recorded(tmp_path: Path):
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server, {"name": "t", "type": "noop"})
        async with connected(port) as client:
            await client.ask(b"x")
            await here.call("POST", "/proxies/p/toxics/t", {"toxicity": 0.5})
            await here.call("DELETE", "/proxies/p/toxics/t")
            await here.call("DELETE", "/proxies/p")
    toxics = [(each["toxic"], each["type"], each["what"]) for each in here.events("toxic")]
    states = [(each["enabled"], each["connections_cut"]) for each in here.events("proxy_state")]

    assert toxics == [("t", "noop", what) for what in ("added", "updated", "removed")]
    assert states == [(True, 0), (False, 1)]


@in_loop
async def test_toxics_of_a_new_proxy_are_in_force_before_it_listens(tmp_path: Path):
    async with site(tmp_path) as here:
        await here.proxy(1, {"type": "noop"})

    assert [each["kind"] for each in here.events("toxic", "proxy_state")][:2] == [
        "toxic",
        "proxy_state",
    ]


@in_loop
async def test_a_toxic_put_back_is_a_new_one_with_a_first_effect(tmp_path: Path):
    toxic = {"name": "t", "type": "latency", "attributes": {"latency": 1}}
    async with through(tmp_path, echo, toxic) as (here, client):
        await client.ask(b"x")
        await here.call("DELETE", "/proxies/p/toxics/t")
        await here.call("POST", "/proxies/p/toxics", toxic)
        await client.ask(b"x")

        await until(lambda: len(here.events("toxic_effect")) == 2)


@in_loop
async def test_a_chunk_is_dated_when_it_arrived_and_not_when_it_was_written(tmp_path: Path):
    clock = SystemClock()
    received_ns: list[int] = []

    async def note(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readexactly(4)
        received_ns.append(clock.now_ns())

    async with through(tmp_path, note) as (here, client):
        client.writer.write(b"ping")
        await until(lambda: bool(here.events("chunk")) and bool(received_ns))

        assert here.events("chunk")[0]["t_ns"] <= received_ns[0]


@in_loop
async def test_a_refused_write_costs_lines_and_says_how_many(tmp_path: Path):
    path = tmp_path / "p.1.ndjson"
    log = EventLog(path, service="p", incarnation="1", clock=SystemClock())
    full = os.open("/dev/full", os.O_WRONLY)
    log.emit("first")
    await asyncio.sleep(0)
    descriptor, log._descriptor = log._descriptor, full
    log.emit("lost")
    log.emit("lost")
    await asyncio.sleep(0)
    log._descriptor = descriptor
    log.emit("after")
    await asyncio.sleep(0)
    log.close()
    os.close(full)

    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(each["seq"], each["kind"]) for each in records] == [
        (0, "first"),
        (3, "after"),
        (4, "events_lost"),
    ]
    assert records[-1]["lines"] == 2


@in_loop
async def test_without_a_file_nothing_is_kept():
    log = EventLog(None, service="p", incarnation="1", clock=SystemClock())
    log.start()

    log.emit("anything")
    log.close()

    assert log.lost_lines == 0


@pytest.mark.slow
@in_loop
async def test_the_clock_is_recorded_every_second(tmp_path: Path):
    async with site(tmp_path) as here:
        await until(lambda: len(here.events("clock")) == 2)
        first, second = here.events("clock")

    assert second["t_ns"] - first["t_ns"] >= 990_000_000  # a second, less what a timer is early

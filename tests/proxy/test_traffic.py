"""Toxics on real sockets: order and bounds only, the exact times are tested in virtual time."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.proxy.live_site import (
    Client,
    connected,
    echo,
    in_loop,
    sends,
    site,
    through,
    until,
    upstream,
)


def latency(name: str, delay_ms: int, stream: str = "downstream") -> dict[str, object]:
    return {"name": name, "type": "latency", "stream": stream, "attributes": {"latency": delay_ms}}


async def round_trip_s(client: Client) -> float:
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    assert await client.ask(b"ping") == b"ping"
    return loop.time() - started_s


@in_loop
async def test_bytes_pass_unchanged_in_both_directions(tmp_path: Path):
    content = bytes(range(256)) * 8000
    async with through(tmp_path, echo) as (_here, client):
        assert await client.ask(content) == content


@in_loop
async def test_latency_delays_each_direction_and_both_add_up(tmp_path: Path):
    toxics = (latency("down", 60), latency("up", 40, "upstream"))
    async with through(tmp_path, echo, *toxics) as (_here, client):
        trips_s = [await round_trip_s(client) for _ in range(3)]

    assert min(trips_s) >= 0.1  # 60 ms one way and 40 ms the other


@in_loop
async def test_order_is_kept_under_jitter(tmp_path: Path):
    toxic = {"type": "latency", "attributes": {"latency": 5, "jitter": 5}}
    content = b"".join(b"%05d" % index for index in range(4000))
    async with through(tmp_path, echo, toxic) as (_here, client):
        for index in range(0, len(content), 500):
            client.writer.write(content[index : index + 500])
            await asyncio.sleep(0)

        assert await client.reader.readexactly(len(content)) == content


@in_loop
async def test_bandwidth_takes_at_least_the_time_of_the_bytes(tmp_path: Path):
    toxic = {"type": "bandwidth", "attributes": {"rate": 1000}}
    loop = asyncio.get_running_loop()
    async with site(tmp_path) as here, upstream(sends(bytes(300_000))) as server:
        started_s = loop.time()
        async with connected(await here.proxy(server, toxic)) as client:
            ending, content = await client.ending()
        took_s = loop.time() - started_s

    assert (ending, len(content)) == ("eof", 300_000)
    assert took_s >= 0.29  # 0.3 s at 1 MB/s, less what a timer of the last chunk may be early


@in_loop
async def test_removing_a_toxic_releases_what_it_holds(tmp_path: Path):
    async with through(tmp_path, echo, latency("slow", 60_000)) as (here, client):
        client.writer.write(b"ping")
        await until(lambda: bool(here.events("toxic_effect")))

        await here.call("DELETE", "/proxies/p/toxics/slow")

        assert await client.reader.readexactly(4) == b"ping"  # within the bound of the test


@in_loop
async def test_a_toxic_added_to_a_live_connection_acts_on_it(tmp_path: Path):
    async with through(tmp_path, echo) as (here, client):
        await client.ask(b"ping")

        await here.call("POST", "/proxies/p/toxics", latency("slow", 80))

        assert await round_trip_s(client) >= 0.08  # the delay that was just added


@in_loop
async def test_a_toxic_added_while_a_connection_opens_is_there_once(tmp_path: Path):
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server)
        for ticks in range(12):  # one of them falls between the accept and the dial's end
            before = len(here.events("draw"))
            async with connected(port) as client:
                for _ in range(ticks):
                    await asyncio.sleep(0)
                await here.call("POST", "/proxies/p/toxics", {"name": "t", "type": "noop"})
                await client.ask(b"ping")
                await here.call("DELETE", "/proxies/p/toxics/t")
            assert len(here.events("draw")) == before + 1, ticks


@in_loop
async def test_a_client_that_is_accepted_as_the_proxy_stops_is_cut(tmp_path: Path):
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server)
        for ticks in range(12):  # one of them falls between the accept and its callback
            with socket.socket() as raw:
                raw.setblocking(False)  # noqa: FBT003 - the socket module's signature
                raw.connect_ex(("127.0.0.1", port))  # the kernel connects without the loop
                for _ in range(ticks):
                    await asyncio.sleep(0)
                await here.call("POST", "/proxies/p", {"enabled": False})

                with suppress(ConnectionResetError):  # from the kernel's queue it is an RST
                    assert await asyncio.get_running_loop().sock_recv(raw, 1) == b"", ticks
            await here.call("POST", "/proxies/p", {"enabled": True})


def _reads_although_paused(transport: Any, *reader: Any) -> None:
    """Begin to read after the protocol has paused it, as asyncio did up to Python 3.11.2."""
    if not transport.is_closing():
        transport._loop._add_reader(*reader)


def _pauses_as_told(transport: Any, *reader: Any) -> None:
    """Begin to read unless the protocol has paused it, as asyncio does in newer versions."""
    if transport.is_reading():
        transport._loop._add_reader(*reader)


@pytest.mark.parametrize("begin_to_read", [_reads_although_paused, _pauses_as_told])
@in_loop
async def test_bytes_that_come_before_the_upstream_is_connected_are_carried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin_to_read: Any
):
    loop, dials, may_dial = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    resolve = loop.getaddrinfo

    async def resolve_late(*name: Any, **options: Any) -> Any:
        dials.set()
        await may_dial.wait()
        return await resolve(*name, **options)

    monkeypatch.setattr(loop, "getaddrinfo", resolve_late)
    monkeypatch.setattr(asyncio.selector_events._SelectorTransport, "_add_reader", begin_to_read)
    async with site(tmp_path) as here, upstream(echo) as server:
        wanted = {"name": "p", "listen": "127.0.0.1:0", "upstream": f"localhost:{server}"}
        _, made = await here.call("POST", "/proxies", wanted)
        async with connected(int(made["listen"].rpartition(":")[2])) as client:
            client.writer.write(b"ping")
            await dials.wait()
            for _ in range(20):  # turns of the loop, in which it could be read
                await asyncio.sleep(0)
            may_dial.set()

            assert await client.reader.readexactly(4) == b"ping"


@in_loop
async def test_toxics_leave_other_proxies_alone(tmp_path: Path):
    async with site(tmp_path) as here, upstream(echo) as server:
        await here.proxy(server, latency("slow", 60_000), name="slow")
        async with connected(await here.proxy(server, name="sound")) as client:
            assert await client.ask(b"ping") == b"ping"  # within the bound of the test


@in_loop
async def test_many_clients_are_connected_at_once(tmp_path: Path):
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server, latency("slow", 20))

        async def talk(index: int) -> bytes:
            async with connected(port) as client:
                return await client.ask(b"%04d" % index)

        answers = await asyncio.gather(*(talk(index) for index in range(100)))

    assert answers == [b"%04d" % index for index in range(100)]

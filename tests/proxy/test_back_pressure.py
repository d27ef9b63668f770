"""A client that does not read stops its sender, and nothing else."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.proxy.live_site import (
    connected,
    echo,
    in_loop,
    sends,
    settled,
    site,
    through,
    until,
    upstream,
)

SENT = bytes(range(256)) * 64 * 1024  # 16 MiB: more than the sockets on the way hold

TOXICS: list[dict[str, Any]] = [
    {"type": "latency", "attributes": {"latency": 10}},
    {"type": "bandwidth", "attributes": {"rate": 10_000_000}},
    {"type": "slow_close", "attributes": {"delay": 10}},
    {"type": "limit_data", "attributes": {"bytes": 1 << 40}},
    {"type": "slicer", "attributes": {"average_size": 8192, "size_variation": 100}},
    {"type": "noop"},
]


async def stalled(here: Any) -> None:
    """Wait until the proxy has stopped taking bytes from the sender."""
    seen = -1
    while (now := sum(each["bytes"] for each in here.events("chunk"))) != seen or now == 0:
        seen = now
        await asyncio.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("toxic", TOXICS, ids=lambda toxic: toxic["type"])
@in_loop
async def test_no_call_waits_for_a_client_that_does_not_read(tmp_path: Path, toxic: dict[str, Any]):
    loop = asyncio.get_running_loop()
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/proxies/p/toxics", {"name": "more", "type": "noop"}),
        ("POST", "/proxies/p/toxics/t", {"attributes": {}}),
        ("GET", "/proxies", None),
        ("DELETE", "/proxies/p/toxics/more", None),
        ("DELETE", "/proxies/p/toxics/t", None),
        ("POST", "/reset", None),
    ]
    async with site(tmp_path) as here, upstream(sends(SENT)) as server:
        port = await here.proxy(server, {**toxic, "name": "t"})
        async with connected(port, limit=1024) as client:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined] # a read transport
            await stalled(here)

            for call in calls:
                started_s = loop.time()
                status, shown = await here.call(*call)
                took_s = loop.time() - started_s
                assert status in {200, 204}, (call, shown)
                assert took_s < 1.0  # the real server: until the client reads, or for ever

            async with connected(port) as other:
                assert len(await other.reader.read(1024)) > 0

            client.writer.transport.resume_reading()  # type: ignore[attr-defined] # see above
            ending, content = await client.ending()
    assert ending == "eof"
    assert content == SENT


@in_loop
async def test_the_sender_is_stopped_while_the_receiver_does_not_read(tmp_path: Path):
    async with through(tmp_path, sends(SENT), limit=1024) as (here, client):
        client.writer.transport.pause_reading()  # type: ignore[attr-defined] # a read transport
        await stalled(here)

        taken_bytes = sum(each["bytes"] for each in here.events("chunk"))

    assert taken_bytes < len(SENT)


@in_loop
async def test_disable_cuts_a_stalled_connection_at_once(tmp_path: Path):
    async with through(tmp_path, sends(SENT), limit=1024) as (here, client):
        client.writer.transport.pause_reading()  # type: ignore[attr-defined] # a read transport
        await stalled(here)

        await here.call("POST", "/proxies/p", {"enabled": False})

        await until(lambda: here.events("connection")[-1]["what"] == "closed")


@contextmanager
def black_hole() -> Iterator[int]:
    """Listen with a full queue that nobody empties: connecting hangs."""
    with socket.socket() as listener, ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)  # noqa: FBT003 - the socket module's signature
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@in_loop
async def test_a_dial_that_hangs_keeps_nobody_waiting_and_ends_with_its_proxy(tmp_path: Path):
    with black_hole() as hole:
        async with site(tmp_path) as here, upstream(echo) as server:
            hanging = await here.proxy(hole, name="hanging")
            async with connected(hanging) as first, connected(hanging):
                async with connected(await here.proxy(server)) as client:
                    assert await client.ask(b"ping") == b"ping"

                assert (await here.call("DELETE", "/proxies/hanging"))[0] == 204
                assert await first.ending() == ("eof", b"")
            assert here.events("proxy_state")[-1]["connections_cut"] == 2
        await settled()

    assert asyncio.all_tasks() == {asyncio.current_task()}

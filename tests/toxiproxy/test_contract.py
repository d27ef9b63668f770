"""What every fault promises, against both proxies: it bites, it heals, it leaves others alone.

Order and bounds only; the exact times of the embedded proxy's toxics are tested in virtual time.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fault_injectors.toxics import (
    Bandwidth,
    Behaviour,
    Latency,
    LimitData,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)
from fault_injectors.toxiproxy import Proxy, ProxyKind, ProxyServer
from tests.toxiproxy.raw_server import raw_server
from tests.toxiproxy.running import BOTH, environment, in_loop

pytestmark = pytest.mark.slow

CONTENT = bytes(range(250)) * 4
PATIENCE_S = 0.4  # long enough for loopback, short enough to see that nothing comes

Bite = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each byte with the content, and end on `q`."""
    while (asked := await reader.read(1)) not in {b"", b"q"}:
        writer.write(CONTENT)
        await writer.drain()
        assert asked
    writer.close()
    await writer.wait_closed()


async def took_s(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    writer.write(b"a")
    assert await reader.readexactly(len(CONTENT)) == CONTENT
    return loop.time() - started_s


async def delays(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    return await took_s(reader, writer) >= 0.095  # 100 ms, less what a timer may be early


async def mutes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"a")
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read(1) == b""
    except TimeoutError:
        return True


async def cuts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"a")
    return await reader.read() == CONTENT[:10]


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"a")
    try:
        await reader.read()
    except ConnectionResetError:
        return True
    return False


async def slices(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"a")
    first = await reader.read(len(CONTENT))
    return 0 < len(first) < len(CONTENT)


async def holds_the_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    writer.write(b"q")
    assert await reader.read() == b""
    return loop.time() - started_s >= 0.095  # 100 ms, less what a timer may be early


BITES: list[tuple[Behaviour, Bite]] = [
    (Latency(delay_s=0.1), delays),
    (Bandwidth(rate_bytes_per_s=10_000), delays),  # 1000 bytes
    (Bandwidth(rate_bytes_per_s=0), mutes),
    (Timeout(after_s=0), mutes),
    (LimitData(size_bytes=10), cuts),
    (ResetPeer(after_s=0), resets),
    (Slicer(average_size_bytes=50, delay_s=0.002), slices),
    (SlowClose(delay_s=0.1), holds_the_close),
]


@asynccontextmanager
async def scene(kind: ProxyKind, folder: Path) -> AsyncIterator[tuple[ProxyServer, Proxy, Proxy]]:
    """Two proxies in front of one upstream."""
    async with (
        raw_server(answers) as port,
        ProxyServer.start(kind, env=environment(), log_path=folder / "proxy.log") as server,
    ):
        created = [
            await server.client.create(
                Proxy(name=name, listen="127.0.0.1:0", upstream=f"127.0.0.1:{port}")
            )
            for name in ("hit", "spared")
        ]
        yield server, created[0], created[1]


async def bitten(proxy: Proxy, bite: Bite) -> bool:
    reader, writer = await asyncio.open_connection(*proxy.address)
    try:
        return await bite(reader, writer)
    finally:
        writer.transport.abort()


@BOTH
@in_loop
async def test_every_toxic_bites_heals_and_leaves_others_alone(kind: ProxyKind, tmp_path: Path):
    async with scene(kind, tmp_path) as (server, hit, spared):
        for behaviour, bite in BITES:
            await server.client.add_toxic("hit", Toxic(name="t", behaviour=behaviour))
            assert await bitten(hit, bite), behaviour
            await server.client.remove_toxic("hit", "t")

            reader, writer = await asyncio.open_connection(*hit.address)
            await took_s(reader, writer)
            writer.transport.abort()
            reader, writer = await asyncio.open_connection(*spared.address)
            await took_s(reader, writer)
            writer.transport.abort()


@BOTH
@in_loop
async def test_a_disabled_proxy_cuts_refuses_and_heals(kind: ProxyKind, tmp_path: Path):
    async with scene(kind, tmp_path) as (server, hit, _):
        reader, writer = await asyncio.open_connection(*hit.address)
        await took_s(reader, writer)

        await server.client.set_enabled("hit", enabled=False)

        assert await reader.read() == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*hit.address)
        await server.client.set_enabled("hit", enabled=True)
        reader, writer = await asyncio.open_connection(*hit.address)
        await took_s(reader, writer)
        writer.transport.abort()

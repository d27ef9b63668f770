"""The typed client, against both proxies."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fault_injectors.toxics import (
    Bandwidth,
    Behaviour,
    Latency,
    LimitData,
    Noop,
    ResetPeer,
    Slicer,
    SlowClose,
    Stream,
    Timeout,
    Toxic,
)
from fault_injectors.toxiproxy import (
    Proxy,
    ProxyExists,
    ProxyKind,
    ProxyNotFound,
    ProxyRefused,
    ProxyServer,
    ReadBackDiffers,
    ToxicRefused,
    ToxiproxyClient,
)
from tests.toxiproxy.running import BOTH, environment, in_loop

pytestmark = pytest.mark.slow

A = Proxy(name="a", listen="127.0.0.1:0", upstream="127.0.0.1:1")

BEHAVIOURS: tuple[Behaviour, ...] = (
    Latency(delay_s=0.2, jitter_s=0.02),
    Bandwidth(rate_bytes_per_s=50_000),
    Bandwidth(rate_bytes_per_s=0),
    SlowClose(delay_s=0.3),
    Timeout(after_s=0),
    ResetPeer(after_s=0.25),
    Slicer(average_size_bytes=100, size_variation_bytes=20, delay_s=0.001),
    LimitData(size_bytes=4096),
    Noop(),
)


@asynccontextmanager
async def client_of(kind: ProxyKind, folder: Path) -> AsyncIterator[ToxiproxyClient]:
    log_path = folder / "proxy.log"
    async with ProxyServer.start(kind, env=environment(), log_path=log_path) as server:
        yield server.client


@BOTH
@in_loop
async def test_a_proxy_is_created_shown_switched_and_deleted(kind: ProxyKind, tmp_path: Path):
    async with client_of(kind, tmp_path) as client:
        created = await client.create(A)
        assert created.address[1] > 0
        assert await client.get("a") == created
        assert await client.list() == client.known == (created,)

        disabled = await client.set_enabled("a", enabled=False)
        assert not disabled.enabled
        assert await client.set_enabled("a", enabled=True) == created

        await client.delete("a")
        assert await client.list() == client.known == ()


@BOTH
@in_loop
async def test_every_toxic_is_added_read_back_updated_and_removed(kind: ProxyKind, tmp_path: Path):
    async with client_of(kind, tmp_path) as client:
        await client.create(A)
        for index, behaviour in enumerate(BEHAVIOURS):
            stream = list(Stream)[index % 2]
            toxic = Toxic(name=f"t{index}", behaviour=behaviour, stream=stream)

            await client.add_toxic("a", toxic)
            assert await client.toxics("a") == (toxic,)
            await client.update_toxic("a", toxic)
            await client.remove_toxic("a", toxic.name)

            assert await client.toxics("a") == ()


@BOTH
@in_loop
async def test_an_update_changes_the_attributes(kind: ProxyKind, tmp_path: Path):
    async with client_of(kind, tmp_path) as client:
        await client.create(A)
        await client.add_toxic("a", Toxic(name="t", behaviour=Latency(delay_s=0.1)))
        changed = Toxic(name="t", behaviour=Latency(delay_s=0.2, jitter_s=0.1))

        await client.update_toxic("a", changed)

        assert await client.toxics("a") == (changed,)


@BOTH
@in_loop
async def test_an_update_of_type_or_stream_is_found_by_reading_back(
    kind: ProxyKind, tmp_path: Path
):
    async with client_of(kind, tmp_path) as client:
        await client.create(A)
        await client.add_toxic("a", Toxic(name="t", behaviour=Noop()))

        with pytest.raises(ReadBackDiffers, match="asked for"):
            await client.update_toxic(
                "a", Toxic(name="t", behaviour=Noop(), stream=Stream.UPSTREAM)
            )


@BOTH
@in_loop
async def test_errors_of_the_server_are_errors_of_our_tree(kind: ProxyKind, tmp_path: Path):
    noop = Toxic(name="t", behaviour=Noop())
    async with client_of(kind, tmp_path) as client:
        await client.create(A)
        await client.add_toxic("a", noop)

        with pytest.raises(ProxyExists, match="proxy already exists"):
            await client.create(A)
        with pytest.raises(ProxyExists, match="toxic already exists"):
            await client.add_toxic("a", noop)
        with pytest.raises(ProxyNotFound, match="proxy not found"):
            await client.get("b")
        with pytest.raises(ProxyNotFound, match="toxic not found"):
            await client.remove_toxic("a", "u")
        with pytest.raises(ProxyNotFound, match="proxy not found"):
            await client.delete("b")
        assert await client.toxics("a") == (noop,)


@BOTH
@in_loop
async def test_a_port_that_is_taken_is_refused_and_not_taken_for_success(
    kind: ProxyKind, tmp_path: Path
):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with client_of(kind, tmp_path) as client:
            with pytest.raises(ProxyRefused, match="address already in use") as caught:
                await client.create(Proxy(name="a", listen=address, upstream="127.0.0.1:1"))
            off = Proxy(name="b", listen=address, upstream="127.0.0.1:1", enabled=False)
            await client.create(off)
            with pytest.raises(ProxyRefused, match="address already in use"):
                await client.set_enabled("b", enabled=True)

            assert caught.value.status == 500
            assert await client.list() == (off,)


@in_loop
async def test_a_share_of_connections_is_drawn_by_seed_in_the_embedded_proxy(tmp_path: Path):
    third = Toxic(name="t", behaviour=Noop(), toxicity=1 / 3)
    async with client_of(ProxyKind.EMBEDDED, tmp_path) as client:
        await client.create(A)

        await client.add_toxic("a", third)  # compared as float32

        [shown] = await client.toxics("a")
        assert shown.toxicity == pytest.approx(1 / 3, rel=1e-7)


@BOTH
@in_loop
async def test_what_is_refused_was_not_sent(kind: ProxyKind, tmp_path: Path):
    async with client_of(kind, tmp_path) as client:
        await client.create(A)
        unmeant = Latency(delay_s=0.1, jitter_s=0.2)

        with pytest.raises(ToxicRefused, match=r"jitter_s=0\.2 must be at most delay_s=0\.1"):
            await client.add_toxic("a", Toxic(name="t", behaviour=unmeant))

        assert await client.toxics("a") == ()

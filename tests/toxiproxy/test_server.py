"""The life of a proxy process, and how it is brought back."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fault_injectors.toxics import Latency, Noop, Toxic
from fault_injectors.toxiproxy import (
    Proxy,
    ProxyKind,
    ProxyNotStarted,
    ProxyServer,
    ProxyUnreachable,
    ProxyWedged,
)
from tests.toxiproxy.raw_server import raw_server, silent
from tests.toxiproxy.running import BOTH, environment, in_loop, is_running

pytestmark = pytest.mark.slow

SLOW = Toxic(name="slow", behaviour=Latency(delay_s=0.05))


@BOTH
@in_loop
async def test_leaving_ends_the_process_and_leaves_no_file_but_the_log(
    kind: ProxyKind, tmp_path: Path
):
    log_path = tmp_path / "proxy.log"
    async with ProxyServer.start(kind, env=environment(), log_path=log_path) as server:
        pid = server.pid
        assert server.is_alive
        assert is_running(pid)

    assert not server.is_alive
    assert not is_running(pid)
    assert _names(tmp_path) == ["proxy.log"]


@BOTH
@in_loop
async def test_an_error_or_a_cancellation_inside_ends_the_process(kind: ProxyKind, tmp_path: Path):
    pids: list[int] = []

    async def hold() -> None:
        log_path = tmp_path / "proxy.log"
        async with ProxyServer.start(kind, env=environment(), log_path=log_path) as server:
            pids.append(server.pid)
            await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    while not pids:  # noqa: ASYNC110 - the process has no event to wait for
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not is_running(pids[0])


@in_loop
async def test_a_control_port_that_is_taken_is_found_out(tmp_path: Path):
    async with raw_server(silent) as taken:
        with pytest.raises(ProxyNotStarted, match="ended with 1"):
            async with ProxyServer.start(
                env=environment(), log_path=tmp_path / "proxy.log", port=taken
            ):
                pass


@in_loop
async def test_somebody_elses_server_on_the_port_is_not_taken_for_ours(tmp_path: Path):
    kind = ProxyKind.TOXIPROXY
    env = environment()
    async with ProxyServer.start(kind, env=env, log_path=tmp_path / "first.log") as other:
        with pytest.raises(ProxyNotStarted, match="somebody else answers"):
            async with ProxyServer.start(
                kind, env=env, log_path=tmp_path / "second.log", port=other.port
            ):
                pass

        assert await other.client.list() == ()


@BOTH
@in_loop
async def test_a_killed_server_is_unreachable_and_comes_back_with_its_proxies(
    kind: ProxyKind, tmp_path: Path
):
    log_path = tmp_path / "proxy.log"
    async with ProxyServer.start(kind, env=environment(), log_path=log_path) as server:
        on = await server.client.create(_proxy("on"))
        off = await server.client.create(_proxy("off"))
        off = await server.client.set_enabled("off", enabled=False)
        port, pid = server.port, server.pid

        os.kill(pid, signal.SIGKILL)
        with pytest.raises(ProxyUnreachable):
            await server.client.list()
        await server.restart()

        assert server.port == port
        assert server.pid != pid
        assert await server.client.list() == (off, on)


@in_loop
async def test_every_start_of_the_embedded_proxy_is_an_incarnation_of_its_own(tmp_path: Path):
    env = environment(ATLAS_EVENT_DIR=str(tmp_path / "events"), ATLAS_SERVICE="proxy")
    async with ProxyServer.start(env=env, log_path=tmp_path / "proxy.log") as server:
        await server.restart()

    assert _names(tmp_path / "events") == ["proxy.1.ndjson", "proxy.2.ndjson"]


@in_loop
async def test_a_wedged_server_is_brought_back_once_and_every_call_that_met_it_is_an_error(
    tmp_path: Path,
):
    async with ProxyServer.start(env=environment(), log_path=tmp_path / "proxy.log") as server:
        created = await server.client.create(_proxy("a"))
        pid = server.pid
        os.kill(pid, signal.SIGSTOP)

        results = await asyncio.gather(
            *(server.client.get("a") for _ in range(3)), return_exceptions=True
        )

        assert all(isinstance(each, ProxyWedged) for each in results)
        told = [str(each) for each in results]
        assert sum("did not help; it was killed and started again" in each for each in told) == 1
        assert sum("restarted meanwhile" in each for each in told) == 2
        assert not is_running(pid)
        assert await server.client.list() == (created,)


@BOTH
@in_loop
async def test_a_client_that_does_not_read_wedges_the_real_server_and_not_ours(
    kind: ProxyKind, tmp_path: Path
):
    log_path = tmp_path / "proxy.log"
    async with ProxyServer.start(kind, env=environment(), log_path=log_path) as server:
        async with _flooded(server) as _:
            change = server.client.add_toxic("flood", SLOW)
            if kind is ProxyKind.EMBEDDED:
                await change
                assert await server.client.toxics("flood") == (_noop(), SLOW)
            else:
                with pytest.raises(ProxyWedged, match="could still be deleted; it was killed"):
                    await change
        assert [each.name for each in await server.client.list()] == ["flood"]


@in_loop
async def test_a_blocked_call_that_ends_within_its_deadline_is_no_wedge(tmp_path: Path):
    kind = ProxyKind.TOXIPROXY
    log_path = tmp_path / "proxy.log"
    async with ProxyServer.start(kind, env=environment(), log_path=log_path) as server:
        pid = server.pid
        async with _flooded(server) as client:
            change = asyncio.create_task(server.client.add_toxic("flood", SLOW))
            await asyncio.sleep(0.3)
            assert not change.done()

            drain = asyncio.create_task(_drain(client))
            await change
            drain.cancel()

        assert server.pid == pid


@in_loop
async def test_a_missing_server_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fault_injectors.toxiproxy.programs.SOURCE_ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ProxyNotStarted, match="make setup"):
        async with ProxyServer.start("toxiproxy", env={}, log_path=tmp_path / "proxy.log"):
            pass


@in_loop
async def test_a_program_that_cannot_run_or_ends_at_once_is_said(tmp_path: Path):
    kind = ProxyKind.TOXIPROXY
    for binary, reason in ((tmp_path, "cannot start"), (Path("/bin/false"), "ended with 1")):
        with pytest.raises(ProxyNotStarted, match=reason):
            async with ProxyServer.start(
                kind, env={}, log_path=tmp_path / "proxy.log", binary=binary
            ):
                pass


@in_loop
async def test_an_embedded_proxy_that_ends_at_once_is_said(tmp_path: Path):
    env = environment(ATLAS_SEED="none")
    with pytest.raises(ProxyNotStarted, match="ended with 2"):
        async with ProxyServer.start(env=env, log_path=tmp_path / "proxy.log"):
            pass


def _names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def _proxy(name: str, upstream_port: int = 1) -> Proxy:
    return Proxy(name=name, listen="127.0.0.1:0", upstream=f"127.0.0.1:{upstream_port}")


def _noop() -> Toxic:
    return Toxic(name="noop", behaviour=Noop())


@asynccontextmanager
async def _flooded(server: ProxyServer) -> AsyncIterator[socket.socket]:
    """Connect a client that does not read, to an upstream that never stops sending."""
    progress: list[int] = [0]

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(bytes(65536))
            await writer.drain()
            progress[0] += 1

    async with raw_server(flood) as upstream_port:
        created = await server.client.create(_proxy("flood", upstream_port))
        await server.client.add_toxic("flood", _noop())
        with socket.create_connection(created.address, timeout=5) as client:
            client.settimeout(0)
            seen = -1
            while progress[0] != seen or seen == 0:  # until every buffer on the way is full
                seen = progress[0]
                await asyncio.sleep(0.2)
            yield client


async def _drain(client: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while await loop.sock_recv(client, 1 << 20):
        pass

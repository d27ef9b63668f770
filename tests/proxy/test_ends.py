"""Who sees which end, and how many bytes before it."""

import asyncio
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

LATE = {"type": "latency", "attributes": {"latency": 100}}


class Witness:
    """An upstream that notes how each client ended, after an optional answer."""

    def __init__(self, answer: bytes = b"") -> None:
        self.endings: list[tuple[str, bytes]] = []
        self._answer = answer

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self._answer)
        content = b""
        try:
            while piece := await reader.read(65536):
                content += piece
        except ConnectionResetError:
            self.endings.append(("reset", content))
        else:
            self.endings.append(("eof", content))


@in_loop
async def test_a_clients_fin_reaches_the_upstream_behind_its_data(tmp_path: Path):
    witness = Witness()
    async with site(tmp_path) as here, upstream(witness) as server:
        async with connected(await here.proxy(server)) as client:
            client.writer.write(b"hello")
            client.writer.write_eof()

            assert await client.ending() == ("eof", b"")
        assert witness.endings == [("eof", b"hello")]


@in_loop
async def test_a_clients_rst_reaches_the_upstream_as_fin(tmp_path: Path):
    witness = Witness()
    async with site(tmp_path) as here, upstream(witness) as server:
        async with connected(await here.proxy(server)) as client:
            client.writer.write(b"hello")
            await until(lambda: bool(here.events("chunk")))
            client.reset()
        await until(lambda: bool(witness.endings))

        assert witness.endings == [("eof", b"hello")]


@in_loop
async def test_an_answer_in_flight_survives_the_clients_half_close(tmp_path: Path):
    witness = Witness(b"answer")
    async with through(tmp_path, witness, LATE) as (here, client):
        await until(lambda: bool(here.events("toxic_effect")))
        client.writer.write_eof()

        assert await client.ending() == ("eof", b"answer")


@in_loop
async def test_a_servers_fin_reaches_the_client_behind_all_its_data(tmp_path: Path):
    content = bytes(300_000)
    async with through(tmp_path, sends(content)) as (_here, client):
        assert await client.ending() == ("eof", content)


@in_loop
async def test_a_servers_rst_reaches_the_client_as_fin(tmp_path: Path):
    async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.get_extra_info("socket").setsockopt(1, 13, b"\x01\0\0\0\0\0\0\0")
        writer.transport.abort()

    async with through(tmp_path, resets) as (_here, client):
        client.writer.write(b"x")

        assert await client.ending() == ("eof", b"")


@in_loop
async def test_without_an_upstream_the_client_connects_and_sees_the_end(tmp_path: Path):
    async with site(tmp_path) as here:
        port = await here.proxy(1)  # nobody may listen on port 1 of loopback
        async with connected(port) as client:
            ending, content = await client.ending()
        await until(lambda: bool(here.events("connection")))

        assert content == b""
        assert ending in {"eof", "reset"}
        assert [each["what"] for each in here.events("connection")] == ["refused_upstream"]


@pytest.mark.parametrize("upstream_text", ["nonsense", "127.0.0.1:99999", "a:b:1", "x"])
@in_loop
async def test_an_upstream_that_is_no_address_refuses_each_client(
    tmp_path: Path, upstream_text: str
):
    async with site(tmp_path) as here:
        wanted = {"name": "p", "upstream": upstream_text}
        _, shown = await here.call("POST", "/proxies", wanted)
        async with connected(int(shown["listen"].rpartition(":")[2])) as client:
            assert await client.ending() == ("eof", b"")


async def _cut_by(here: Any, port: int, method: str, path: str, body: object) -> None:
    async with connected(port) as client:
        assert await client.ask(b"ping") == b"ping"

        await here.call(method, path, body)

        assert await client.ending() == ("eof", b"")


@in_loop
async def test_disable_cuts_and_refuses_and_enable_listens_on_the_same_port(tmp_path: Path):
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server)
        await _cut_by(here, port, "POST", "/proxies/p", {"enabled": False})
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

        status, shown = await here.call("POST", "/proxies/p", {"enabled": True})

        assert (status, shown["listen"]) == (200, f"127.0.0.1:{port}")
        async with connected(port) as client:
            assert await client.ask(b"ping") == b"ping"


@in_loop
async def test_delete_cuts_and_refuses(tmp_path: Path):
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server)
        await _cut_by(here, port, "DELETE", "/proxies/p", None)

        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)


@in_loop
async def test_another_upstream_cuts_and_equal_values_do_not(tmp_path: Path):
    async with site(tmp_path) as here, upstream(echo) as first, upstream(sends(b"2")) as second:
        port = await here.proxy(first)
        async with connected(port) as client:
            equal = {"listen": f"localhost:{port}", "upstream": f"127.0.0.1:{first}"}
            await here.call("POST", "/proxies/p", equal)
            assert await client.ask(b"ping") == b"ping"

        await _cut_by(here, port, "PATCH", "/proxies/p", {"upstream": f"127.0.0.1:{second}"})

        async with connected(port) as client:
            assert await client.ending() == ("eof", b"2")


@in_loop
async def test_populate_with_equal_values_keeps_connections_and_toxics(tmp_path: Path):
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server, {"type": "noop"})
        same = {"name": "p", "listen": f"127.0.0.1:{port}", "upstream": f"127.0.0.1:{server}"}
        async with connected(port) as client:
            await client.ask(b"ping")
            status, shown = await here.call("POST", "/populate", [same])

            assert status == 201
            assert [each["type"] for each in shown["proxies"][0]["toxics"]] == ["noop"]
            assert await client.ask(b"pong") == b"pong"

        other = {**same, "upstream": "127.0.0.1:1"}
        await _cut_by(here, port, "POST", "/populate", [other])
        assert (await here.call("GET", "/proxies/p/toxics"))[1] == []


@in_loop
async def test_reset_peer_is_an_rst_on_both_sides(tmp_path: Path):
    witness = Witness()
    toxic = {"type": "reset_peer", "stream": "upstream", "attributes": {"timeout": 50}}
    async with site(tmp_path) as here, upstream(witness) as server:
        async with connected(await here.proxy(server, toxic)) as client:
            client.writer.write(b"x")

            assert await client.ending() == ("reset", b"")
        await until(lambda: bool(witness.endings))
        assert witness.endings == [("reset", b"")]


@in_loop
async def test_removing_reset_peer_undoes_it_on_live_connections(tmp_path: Path):
    toxic = {"name": "r", "type": "reset_peer", "attributes": {"timeout": 10_000}}
    async with through(tmp_path, echo, toxic) as (here, client):
        client.writer.write(b"ping")
        await until(lambda: len(here.events("chunk")) == 2)

        await here.call("DELETE", "/proxies/p/toxics/r")

        assert await client.reader.readexactly(4) == b"ping"
        client.writer.write_eof()
        assert await client.ending() == ("eof", b"")


@in_loop
async def test_any_end_of_a_connection_that_reset_peer_acts_on_is_an_rst(tmp_path: Path):
    witness = Witness()
    toxic = {"type": "reset_peer", "attributes": {"timeout": 10_000}}
    async with through(tmp_path, witness) as (here, client):
        client.writer.write(b"x")
        await until(lambda: bool(here.events("chunk")))
        await here.call("POST", "/proxies/p/toxics", toxic)

        client.writer.write_eof()
        await until(lambda: bool(witness.endings))

    assert [ending for ending, _ in witness.endings] == ["reset"]


@in_loop
async def test_limit_data_ends_a_sender_that_goes_on_with_an_error(tmp_path: Path):
    toxic = {"type": "limit_data", "stream": "upstream", "attributes": {"bytes": 10}}
    witness = Witness()
    async with site(tmp_path) as here, upstream(witness) as server:
        async with connected(await here.proxy(server, toxic)) as client:
            client.writer.write(b"0123456789abcdef")
            ending, content = await client.ending()

        assert (ending in {"eof", "reset"}, content) == (True, b"")
        assert witness.endings == [("eof", b"0123456789")]


@in_loop
async def test_slow_close_holds_only_the_close_of_its_direction(tmp_path: Path):
    loop = asyncio.get_running_loop()
    toxic = {"type": "slow_close", "attributes": {"delay": 150}}
    async with through(tmp_path, sends(b"bye"), toxic) as (_here, client):
        started_s = loop.time()
        assert await client.reader.readexactly(3) == b"bye"
        assert await client.ending() == ("eof", b"")
        assert loop.time() - started_s >= 0.14  # the delay, less the wait for the connection


@in_loop
async def test_a_proxy_with_no_connection_left_holds_none(tmp_path: Path):
    async with site(tmp_path) as here, upstream(echo) as server:
        port = await here.proxy(server)
        for _ in range(20):
            async with connected(port) as client:
                await client.ask(b"ping")
        await until(lambda: len(here.events("connection")) == 40)
        await settled()

        status, _ = await here.call("POST", "/proxies/p", {"enabled": False})

        assert status == 200
        await until(lambda: len(here.events("proxy_state")) == 2)
        assert here.events("proxy_state")[-1]["connections_cut"] == 0

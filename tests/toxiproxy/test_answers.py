"""What the client makes of servers that lie, hang, trickle or talk nonsense."""

import asyncio
from typing import Any

import pytest

from fault_injectors.toxics import Latency, Toxic
from fault_injectors.toxiproxy import (
    Proxy,
    ProxyKind,
    ProxyRefused,
    ProxyUnreachable,
    ProxyWedged,
    ReadBackDiffers,
    ToxiproxyClient,
    Transport,
)
from fault_injectors.toxiproxy.client import READ_DEADLINE_S
from fault_injectors.toxiproxy.errors import DeadlineMissed
from tests.toxiproxy.raw_server import Serve, answering, hanging_up, raw_server, silent, trickling
from tests.toxiproxy.running import in_loop

SHOWN: dict[str, Any] = {
    "name": "a",
    "listen": "127.0.0.1:8000",
    "upstream": "127.0.0.1:1",
    "enabled": True,
    "Logger": {},
    "toxics": [],
}
TOXIC: dict[str, Any] = {
    "name": "t",
    "type": "latency",
    "stream": "downstream",
    "toxicity": 1,
    "attributes": {"latency": 100, "jitter": 0},
}
A = Proxy(name="a", listen="127.0.0.1:8000", upstream="127.0.0.1:1")
SLOW = Toxic(name="t", behaviour=Latency(delay_s=0.1))


def client(port: int) -> ToxiproxyClient:
    return ToxiproxyClient(Transport("127.0.0.1", port), kind=ProxyKind.TOXIPROXY)


@pytest.mark.slow
@in_loop
async def test_no_call_waits_longer_than_its_deadline_even_if_bytes_trickle_in():
    loop = asyncio.get_running_loop()
    async with raw_server(trickling) as port:
        started_s = loop.time()
        with pytest.raises(ProxyWedged, match="no answer within 2 s"):
            await client(port).list()
        took_s = loop.time() - started_s

    assert took_s < READ_DEADLINE_S + 3.0  # a busy machine; without the deadline it is for ever


@in_loop
async def test_a_silent_server_is_a_missed_deadline():
    async with raw_server(silent) as port:
        with pytest.raises(DeadlineMissed, match=r"no answer within 0\.2 s"):
            await Transport("127.0.0.1", port).call("get", "/proxies", deadline_s=0.2)


@in_loop
async def test_a_handler_that_was_given_up_is_a_missed_deadline_and_no_error_answer():
    async with raw_server(answering((503, b"<h1>Timeout</h1>"))) as port:
        with pytest.raises(ProxyWedged):
            await client(port).list()


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (hanging_up, "Connection"),
        (answering((200, b"<html>")), "no JSON"),
        (answering((200, [])), "no object"),
        (answering((200, {"a": {}})), "no proxy of ours"),
        (answering((200, {"a": {**SHOWN, "listen": "?"}})), "no proxy of ours"),
    ],
    ids=["hangs up", "html", "list", "empty", "address"],
)
@in_loop
async def test_what_does_not_speak_the_protocol_is_unreachable(serve: Serve, reason: str):
    async with raw_server(serve) as port:
        with pytest.raises(ProxyUnreachable, match=reason):
            await client(port).list()


@in_loop
async def test_nobody_there_is_unreachable():
    async with raw_server(silent) as port:
        pass

    with pytest.raises(ProxyUnreachable, match="refused"):
        await client(port).list()


@pytest.mark.parametrize("status", [400, 500, 418])
@in_loop
async def test_an_error_answer_carries_its_status_and_text(status: int):
    async with raw_server(answering((status, {"error": "no such luck", "status": status}))) as port:
        with pytest.raises(ProxyRefused, match="no such luck") as caught:
            await client(port).list()

    assert caught.value.status == status


@pytest.mark.parametrize(
    "changed", [{"upstream": "127.0.0.1:2"}, {"enabled": False}, {"listen": "127.0.0.1:9"}]
)
@in_loop
async def test_a_proxy_that_reads_back_otherwise_is_an_error(changed: dict[str, Any]):
    async with raw_server(answering((201, SHOWN), (200, {**SHOWN, **changed}))) as port:
        with pytest.raises(ReadBackDiffers, match="asked for"):
            await client(port).create(A)


@pytest.mark.parametrize(
    "listed",
    [
        [],
        [{**TOXIC, "stream": "upstream"}],
        [{**TOXIC, "toxicity": 0.5}],
        [{**TOXIC, "attributes": {"latency": 99, "jitter": 0}}],
        [{**TOXIC, "type": "slow_close", "attributes": {"delay": 100}}],
    ],
    ids=["missing", "stream", "toxicity", "attributes", "type"],
)
@in_loop
async def test_a_toxic_that_reads_back_otherwise_is_an_error(listed: list[dict[str, Any]]):
    async with raw_server(answering((200, TOXIC), (200, listed))) as port:
        with pytest.raises(ReadBackDiffers, match="asked for"):
            await client(port).add_toxic("a", SLOW)


@in_loop
async def test_a_toxicity_is_compared_as_the_float32_that_the_api_keeps():
    third = Toxic(name="t", behaviour=Latency(delay_s=0.1), toxicity=1 / 3)
    async with raw_server(answering((200, {}), (200, [{**TOXIC, "toxicity": 0.33333334}]))) as port:
        embedded = ToxiproxyClient(Transport("127.0.0.1", port), kind=ProxyKind.EMBEDDED)

        await embedded.add_toxic("a", third)


@in_loop
async def test_what_was_deleted_and_is_still_there_is_an_error():
    async with raw_server(answering((204, b""), (200, {"a": SHOWN}))) as port:
        with pytest.raises(ReadBackDiffers, match="still in the list"):
            await client(port).delete("a")
    async with raw_server(answering((200, [TOXIC]), (204, b""), (200, [TOXIC]))) as port:
        with pytest.raises(ReadBackDiffers, match="still in the list"):
            await client(port).remove_toxic("a", "t")


@in_loop
async def test_a_proxy_that_does_not_switch_is_an_error():
    async with raw_server(answering((200, SHOWN), (200, SHOWN))) as port:
        with pytest.raises(ReadBackDiffers, match="enabled=False"):
            await client(port).set_enabled("a", enabled=False)


@in_loop
async def test_two_servers_do_not_disturb_each_other():
    async with (
        raw_server(answering((200, {}))) as first,
        raw_server(answering((200, {"a": SHOWN}))) as second,
    ):
        none, one = await asyncio.gather(client(first).list(), client(second).list())

    assert (len(none), len(one)) == (0, 1)


@in_loop
async def test_proxy_variables_of_the_environment_are_not_obeyed(monkeypatch: pytest.MonkeyPatch):
    async with raw_server(hanging_up) as dead, raw_server(answering((200, {}))) as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{dead}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)

        assert await client(port).list() == ()

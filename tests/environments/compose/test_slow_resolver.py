"""Questions are held, passed on unread, and answered to whoever asked."""

import asyncio
from contextlib import asynccontextmanager

from harness.clock import SystemClock
from harness.environments.compose.slow_resolver import SlowResolver

LOOPBACK = "127.0.0.1"
DELAY_S = 0.05


class Server(asyncio.DatagramProtocol):
    """Answers each question with itself, doubled."""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data, addr) -> None:
        self.transport.sendto(data * 2, addr)


class Client(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers = asyncio.Queue()

    def datagram_received(self, data, addr) -> None:  # noqa: ARG002
        self.answers.put_nowait(data)


async def open_at(protocol, **where):
    return await asyncio.get_running_loop().create_datagram_endpoint(lambda: protocol, **where)


@asynccontextmanager
async def asking(server_address=None):
    """Yield a client of a slow resolver before a server, or before nobody."""
    server, _ = await open_at(Server(), local_addr=(LOOPBACK, 0))
    address = server_address or server.get_extra_info("sockname")
    slow, _ = await open_at(
        SlowResolver(address, local=LOOPBACK, delay_s=DELAY_S), local_addr=(LOOPBACK, 0)
    )
    transport, client = await open_at(Client(), remote_addr=slow.get_extra_info("sockname"))
    try:
        yield transport, client
    finally:
        for one in (transport, slow, server):
            one.close()


def test_each_question_is_answered_late_beside_all_others():
    async def ask() -> tuple[set[bytes], float]:
        async with asking() as (transport, client), asyncio.timeout(5):
            started_ns = SystemClock().now_ns()
            for question in (b"a", b"b", b"c"):
                transport.sendto(question)
            answers = {await client.answers.get() for _ in range(3)}
            return answers, (SystemClock().now_ns() - started_ns) / 1e9

    answers, took_s = asyncio.run(ask())

    assert answers == {b"aa", b"bb", b"cc"}
    assert took_s >= DELAY_S


def test_a_server_that_refuses_leaves_a_question_without_an_answer_and_the_next_ones_alone():
    async def ask() -> bool:
        closed, _ = await open_at(Server(), local_addr=(LOOPBACK, 0))
        nobody = closed.get_extra_info("sockname")
        closed.close()
        async with asking(nobody) as (transport, client):
            transport.sendto(b"a")
            await asyncio.sleep(3 * DELAY_S)
            return client.answers.empty()

    assert asyncio.run(ask())

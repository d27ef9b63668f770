"""The client against raw sockets: each test is a way in which HTTP clients fool themselves."""

import asyncio
import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from harness.clock import SystemClock
from harness.load.client import Client
from harness.load.plan import LoadPlan
from harness.model.records import Operation, Outcome
from harness.model.scenario import Reuse
from tests.load.plans import arrival, planned_load
from tests.load.scripted_server import OK, Peer, Script, Served, answer_all, answering, serving


def perform(script: Script, *, count: int = 1, **changes: Any) -> tuple[list[Operation], Served]:
    """Perform operations one after the other against a script."""

    async def main() -> tuple[list[Operation], Served]:
        clock = SystemClock()
        async with serving(script) as served:
            load = planned_load(served.port, **changes)
            client = Client(LoadPlan(loads=(load,), arrivals=()), clock=clock)
            t0_ns = clock.now_ns()
            done = [await client.perform(arrival(n, row=None), t0_ns=t0_ns) for n in range(count)]
            client.close()
        return done, served

    return asyncio.run(main())


def ending(script: Script, **changes: Any) -> tuple[Outcome, str | None]:
    operation = perform(script, **changes)[0][0]
    return Outcome(operation.outcome), operation.reason


def test_complete_answer_is_ok_and_carries_what_its_headers_say():
    content = (
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nX-Atlas-Source: stale_cache\r\n"
        b"x-atlas-age-s: 12.5\r\nretry-after: 3\r\n\r\nok"
    )

    operation = perform(answering(content))[0][0]

    assert operation.outcome == Outcome.OK
    assert (operation.status, operation.source, operation.size_bytes) == (200, "stale_cache", 2)
    assert (operation.age_s, operation.retry_after_s) == (12.5, 3.0)


def test_request_carries_the_call_id_the_attempt_and_the_client():
    head = perform(answer_all)[1].heads[0]

    assert b"\r\nx-atlas-call-id: lookups-000000\r\n" in head
    assert b"\r\nx-atlas-attempt: 1\r\n" in head
    assert b"\r\nx-client-id: c-000\r\n" in head


def test_pooled_load_keeps_one_connection_for_operations_in_turn():
    served = perform(answer_all, count=5)[1]

    assert served.connections == 1


def test_fresh_load_opens_a_connection_for_each_operation():
    done, served = perform(answer_all, count=3, reuse=Reuse.FRESH)

    assert [operation.outcome for operation in done] == [Outcome.OK] * 3
    assert served.connections == 3
    assert all(b"\r\nconnection: close\r\n" in head for head in served.heads)


def test_end_before_the_first_byte_of_an_answer_is_unknown():
    async def script(peer: Peer) -> None:
        await peer.request()

    assert ending(script) == (Outcome.UNKNOWN, "cut_before_answer")


def test_reset_before_the_first_byte_of_an_answer_is_unknown():
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.reset()

    assert ending(script) == (Outcome.UNKNOWN, "cut_before_answer")


def test_close_with_the_request_unread_is_unknown():
    async def script(peer: Peer) -> None:
        await peer.reader.readexactly(1)
        peer.writer.transport.abort()

    assert ending(script) == (Outcome.UNKNOWN, "cut_before_answer")


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\ncontent-le",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
    ],
)
def test_end_in_the_middle_of_an_answer_is_unknown_and_truncated(begun: bytes):
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(begun)

    assert ending(script) == (Outcome.UNKNOWN, "truncated")


def test_reset_in_the_middle_of_an_answer_without_length_is_truncated():
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        await asyncio.sleep(0.02)  # the bytes have to be read before the reset discards them
        peer.reset()

    assert ending(script) == (Outcome.UNKNOWN, "truncated")


def test_answer_without_length_is_complete_when_the_connection_ends():
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    operation = perform(script)[0][0]

    assert (operation.outcome, operation.size_bytes) == (Outcome.OK, 9)


def test_complete_answer_followed_by_a_reset_is_delivered():
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(OK)
        peer.reset()

    assert ending(script) == (Outcome.OK, None)


@pytest.mark.parametrize("interim", [b"HTTP/1.1 100 Continue", b"HTTP/1.1 103 Early Hints\r\na: b"])
def test_interim_answer_is_not_the_answer(interim: bytes):
    content = interim + b"\r\n\r\nHTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"

    assert ending(answering(content)) == (Outcome.FAILED, "http_500")


def test_end_after_an_interim_answer_is_a_cut_before_the_answer():
    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    assert ending(script) == (Outcome.UNKNOWN, "cut_before_answer")


def test_switching_protocols_is_garbled_because_nobody_asked_for_it():
    content = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"

    assert ending(answering(content)) == (Outcome.UNKNOWN, "garbled")


def test_what_is_no_http_is_garbled():
    assert ending(answering(b"SSH-2.0-OpenSSH_9.2\r\n")) == (Outcome.UNKNOWN, "garbled")


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_answers_without_body_complete_and_keep_the_connection(status: bytes):
    content = b"HTTP/1.1 " + status + b"\r\n\r\n"

    done, served = perform(answering(content), count=2, expect_status=(204, 304))

    assert [operation.outcome for operation in done] == [Outcome.OK, Outcome.OK]
    assert served.connections == 1


@pytest.mark.parametrize(
    "content",
    [
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
        OK + OK,
        OK + b"HTTP/1.1 408 Req",
    ],
    ids=["http_1_0", "close", "two_answers_in_one_buffer", "one_and_a_part"],
)
def test_connection_is_not_used_again_after(content: bytes):
    done, served = perform(answering(content), count=2)

    assert [operation.outcome for operation in done] == [Outcome.OK, Outcome.OK]
    assert [operation.size_bytes for operation in done] == [2, 2]
    assert served.connections == 2


def test_answer_that_nobody_asked_for_ends_the_idle_connection():
    async def main() -> tuple[bool, bool]:
        clock = SystemClock()
        is_told = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(OK)
            await is_told.wait()
            await peer.send(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n")
            await peer.reader.read()

        async with serving(script) as served:
            load = planned_load(served.port)
            client = Client(LoadPlan(loads=(load,), arrivals=()), clock=clock)
            await client.perform(arrival(0), t0_ns=0)
            pool = client._pools["127.0.0.1", served.port]
            connection = pool._idle[0][1]
            was_open = connection.is_open
            is_told.set()
            async with asyncio.timeout(2.0):
                while connection.is_open:  # noqa: ASYNC110 -- the protocol has no event for it
                    await asyncio.sleep(0.005)
            return was_open, pool.take() is None

    assert asyncio.run(main()) == (True, True)


def test_connection_closed_while_idle_is_replaced_without_a_failed_operation():
    async def main() -> tuple[Operation, int]:
        clock = SystemClock()

        async def script(peer: Peer) -> None:
            await peer.request()
            await peer.send(OK)

        async with serving(script) as served:
            load = planned_load(served.port)
            client = Client(LoadPlan(loads=(load,), arrivals=()), clock=clock)
            await client.perform(arrival(0), t0_ns=0)
            await asyncio.sleep(0.02)  # the end of the connection has to arrive
            operation = await client.perform(arrival(1), t0_ns=0)
            return operation, served.connections

    operation, connections = asyncio.run(main())

    assert (operation.outcome, connections) == (Outcome.OK, 2)


def test_answer_that_names_another_call_is_wrong_content():
    content = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-atlas-call-id: somebody-else\r\n\r\n"

    assert ending(answering(content)) == (Outcome.FAILED, "wrong_content")


def test_patience_ends_as_unknown_and_the_late_answer_meets_no_other_operation():
    async def script(peer: Peer) -> None:
        head = await peer.request()
        if peer.number == 0:
            await asyncio.sleep(0.15)
        call_id = next(line for line in head.split(b"\r\n") if line.startswith(b"x-atlas-call-id"))
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n" + call_id + b"\r\n\r\n")
        await peer.reader.read()

    done, served = perform(script, count=2, timeout_s=0.1)

    assert [(operation.outcome, operation.reason) for operation in done] == [
        (Outcome.UNKNOWN, "timeout"),
        (Outcome.OK, None),
    ]
    assert served.connections == 2
    assert (done[0].end_ns - done[0].started_ns) / 1e9 >= 0.1  # not before the patience ended


def test_timeout_ends_the_connection_so_that_the_service_sees_it():
    async def main() -> bytes:
        seen: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def script(peer: Peer) -> None:
            await peer.request()
            seen.set_result(await peer.reader.read())

        async with serving(script) as served:
            load = planned_load(served.port, timeout_s=0.05)
            client = Client(LoadPlan(loads=(load,), arrivals=()), clock=SystemClock())
            await client.perform(arrival(0), t0_ns=0)
            return await asyncio.wait_for(seen, timeout=2.0)

    assert asyncio.run(main()) == b""


def perform_at(port: int, **changes: Any) -> Operation:
    load = planned_load(port, **changes)
    client = Client(LoadPlan(loads=(load,), arrivals=()), clock=SystemClock())
    return asyncio.run(client.perform(arrival(0), t0_ns=0))


def test_refused_connection_is_failed_because_nothing_was_sent():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound, not listening: connecting is refused

        operation = perform_at(bound.getsockname()[1])

    assert (operation.outcome, operation.reason) == (Outcome.FAILED, "connect_refused")


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """Yield the port of a listener whose queue is full: further connects wait for ever."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(2):
            filler = socket.socket()
            filler.setblocking(False)  # noqa: FBT003 -- the standard library's signature
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


def test_connect_that_takes_too_long_is_failed_because_nothing_was_sent(full_backlog: int):
    operation = perform_at(full_backlog, timeout_s=0.1)

    assert (operation.outcome, operation.reason) == (Outcome.FAILED, "connect_timeout")


def test_running_out_of_descriptors_is_our_failure_and_not_the_systems(
    monkeypatch: pytest.MonkeyPatch,
):
    def refuse(*_: object, **__: object) -> socket.socket:
        raise OSError(errno.EMFILE, "too many open files")

    load = planned_load(9, reuse=Reuse.FRESH)
    client = Client(LoadPlan(loads=(load,), arrivals=()), clock=SystemClock())

    async def main() -> None:
        monkeypatch.setattr(socket, "socket", refuse)
        try:
            await client.perform(arrival(0), t0_ns=0)
        finally:
            monkeypatch.undo()

    with pytest.raises(OSError, match="too many open files"):
        asyncio.run(main())


def test_operations_at_once_open_as_many_connections_without_a_cap():
    async def main() -> tuple[set[str], int]:
        is_full = asyncio.Event()

        async def script(peer: Peer) -> None:
            await peer.request()
            if peer.number == 149:
                is_full.set()
            await is_full.wait()  # nobody is answered before all are connected
            await peer.send(OK)
            await peer.reader.read()

        async with serving(script) as served:
            load = planned_load(served.port)
            client = Client(LoadPlan(loads=(load,), arrivals=()), clock=SystemClock())
            done = await asyncio.gather(
                *(client.perform(arrival(number), t0_ns=0) for number in range(150))
            )
            client.close()
            return {operation.outcome for operation in done}, served.connections

    assert asyncio.run(main()) == ({Outcome.OK}, 150)

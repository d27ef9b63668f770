"""The client of a gateway: what it asks for, and what it does not read."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from shadow_atlas.content_addressing import BlockMismatch, Cid, Codec
from shadow_atlas.environment import Address
from shadow_atlas.errors import UpstreamStatus
from shadow_atlas.ipfs.gateway_client import GatewayClient
from tests.shadow_atlas.fake_clock import FakeClock

CID = Cid.of(b"block", Codec.RAW)
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def get(answer: Answer) -> tuple[bytes | Exception, bytes]:
    """Get a block from a server that answers like this; return the outcome and the request."""
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        with suppress(ConnectionError):
            await answer(writer)
        writer.close()

    async def ask() -> bytes | Exception:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        client = GatewayClient(
            address=Address(host=host, port=port),
            timeout_s=5.0,
            block_limit_bytes=1000,
            clock=FakeClock(),
        )
        async with server, asyncio.timeout(10):
            try:
                return await client.get_block(CID, call_id="call", attempt=2)
            except (BlockMismatch, UpstreamStatus) as error:
                return error
            finally:
                await client.close()

    return asyncio.run(ask()), requests[0]


def fixed(head: str, body: bytes = b"") -> Answer:
    """Answer with these lines and this body."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {head}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()

    return answer


def test_a_block_is_asked_for_by_name_and_under_its_call():
    block, request = get(fixed("200 OK\r\ncontent-length: 5", b"block"))

    lines = request.decode().lower().split("\r\n")
    assert block == b"block"
    assert lines[0] == f"get /ipfs/{CID}?format=raw http/1.1"
    assert {"x-atlas-call-id: call", "x-atlas-attempt: 2"} <= set(lines)
    assert {"accept: application/vnd.ipld.raw", "accept-encoding: identity"} <= set(lines)


@pytest.mark.parametrize("size", [1000, 1001])
def test_the_limit_itself_is_read_and_a_byte_more_is_not(size):
    outcome, _ = get(fixed(f"200 OK\r\ncontent-length: {size}", bytes(size)))

    assert outcome == bytes(1000) if size == 1000 else isinstance(outcome, BlockMismatch)


def test_an_answer_without_an_end_is_left():
    async def endless(writer: asyncio.StreamWriter) -> None:
        await fixed("200 OK")(writer)
        while not writer.is_closing():  # ends when the client has closed
            writer.write(bytes(10_000))
            await writer.drain()

    outcome, _ = get(endless)

    assert isinstance(outcome, BlockMismatch)


@pytest.mark.parametrize("status", [302, 404, 429, 504])
def test_an_answer_that_is_no_success_is_an_error_with_its_status(status):
    head = f"{status} No\r\nlocation: http://127.0.0.1:1/elsewhere\r\nretry-after: 7"

    outcome, _ = get(fixed(head))

    assert isinstance(outcome, UpstreamStatus)
    assert (outcome.status, outcome.retry_after_s) == (status, 7.0)

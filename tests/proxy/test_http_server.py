"""The HTTP of the control port."""

import asyncio
from pathlib import Path

import pytest

from tests.proxy.live_site import connected, in_loop, site


async def exchange(port: int, *pieces: bytes) -> bytes:
    """Send raw bytes and return everything that comes back until the server closes."""
    async with connected(port) as client:
        for piece in pieces:
            client.writer.write(piece)
            await client.writer.drain()
            await asyncio.sleep(0.01)  # so that the pieces arrive one by one
        return (await client.ending())[1]


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [line + " HTTP/1.1", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@in_loop
async def test_requests_on_one_connection_are_answered_in_order(tmp_path: Path):
    ahead = b"GET /version HTTP/1.1\r\n\r\nGET /nope HTTP/1.1\r\n\r\n"
    async with site(tmp_path) as here:
        answers = await exchange(here.port, ahead + request("GET /proxies"))

    assert [answers.index(status) for status in (b"200 OK", b"404 Not Found")] == sorted(
        answers.index(status) for status in (b"200 OK", b"404 Not Found")
    )
    assert answers.count(b"HTTP/1.1 ") == 3
    assert answers.endswith(b"\r\n\r\n{}")


@in_loop
async def test_a_request_may_come_in_pieces(tmp_path: Path):
    body = b'{"name": "p", "upstream": "127.0.0.1:1"}'
    whole = request("POST /proxies", body=body)
    async with site(tmp_path) as here:
        answer = await exchange(here.port, whole[:9], whole[9:40], whole[40:-5], whole[-5:])

    assert answer.startswith(b"HTTP/1.1 201 Created\r\n")


@in_loop
async def test_a_client_that_waits_to_be_asked_for_the_body_is_asked(tmp_path: Path):
    body = b'{"name": "p", "upstream": "127.0.0.1:1"}'
    whole = request("POST /proxies", "Expect: 100-continue", body=body)
    async with site(tmp_path) as here:
        answer = await exchange(here.port, whole[: -len(body)], body)

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n")


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"\r\n\r\nx y z\r\n\r\n"]
)
@in_loop
async def test_what_is_no_http_is_refused_and_closed(tmp_path: Path, garbage: bytes):
    async with site(tmp_path) as here:
        answer = await exchange(here.port, garbage)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


@in_loop
async def test_a_body_that_is_too_large_is_refused(tmp_path: Path):
    async with site(tmp_path) as here, connected(here.port) as client:
        client.writer.write(b"POST /populate HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n")
        client.writer.write(bytes(1_100_000))
        head = await client.reader.readuntil(b"\r\n")

    assert head == b"HTTP/1.1 413 Request Entity Too Large\r\n"


@in_loop
async def test_an_upgrade_is_refused(tmp_path: Path):
    async with site(tmp_path) as here:
        answer = await exchange(
            here.port, b"GET /version HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
        )

    assert answer.startswith(b"HTTP/1.1 ")
    assert b"101" not in answer.split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:1", b"200"),
        ("127.0.0.1", b"200"),
        ("[::1]:8474", b"200"),
        ("LOCALHOST", b"200"),
        ("evil.example:8474", b"403"),
        ("127.0.0.1.evil.example", b"403"),
        ("192.0.2.1", b"403"),
        ("", b"403"),
    ],
)
@in_loop
async def test_only_loopback_names_may_be_in_the_host_header(
    tmp_path: Path, host: str, status: bytes
):
    async with site(tmp_path) as here:
        answer = await exchange(here.port, request("GET /version", f"Host: {host}"))

    assert answer.split()[1] == status


@in_loop
async def test_browsers_are_refused_by_the_vendors_rule(tmp_path: Path):
    async with site(tmp_path) as here:
        browser = await exchange(here.port, request("GET /proxies", "User-Agent: Mozilla/5.0"))
        other = await exchange(here.port, request("GET /proxies", "User-Agent: mozilla/5.0"))

    assert browser.startswith(b"HTTP/1.1 403 ")
    assert browser.endswith(b"\r\n\r\nUser agent not allowed\n")
    assert other.startswith(b"HTTP/1.1 200 ")


@in_loop
async def test_more_requests_ahead_than_the_bound_end_the_connection(tmp_path: Path):
    async with site(tmp_path) as here:
        answers = await exchange(here.port, b"GET /version HTTP/1.1\r\n\r\n" * 100)

    assert answers.count(b"HTTP/1.1 200") < 100

"""The proxy in this process, on real loopback sockets, and peers that do one thing each."""

import asyncio
import functools
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fault_injectors.proxy.api import Api, Request
from fault_injectors.proxy.event_log import EventLog
from fault_injectors.proxy.evidence import Evidence
from fault_injectors.proxy.http_server import HttpServer
from fault_injectors.proxy.live_proxy import Surroundings
from fault_injectors.proxy.registry import Registry
from harness.clock import SystemClock

BOUND_S = 20.0  # a hung test; every one of these takes below 2 s
LINGER_NONE = struct.pack("ii", 1, 0)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test in a fresh loop, bounded; it must leave no task behind."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        async def bounded() -> None:
            async with asyncio.timeout(BOUND_S):
                await test(**fixtures)

        asyncio.run(bounded())

    return run


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A registry with its API and its event file."""

    registry: Registry
    api: Api
    port: int
    events_path: Path

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Call the API without a socket; return status and JSON, or text."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = self.api.answer(Request(method=method, target=path, headers={}, body=content))
        try:
            return answer.status, json.loads(answer.body)
        except ValueError:
            return answer.status, answer.body.decode()

    async def proxy(self, upstream_port: int, *toxics: dict[str, Any], name: str = "p") -> int:
        """Create a proxy with toxics and return its port."""
        wanted = {
            "name": name,
            "listen": "127.0.0.1:0",
            "upstream": f"127.0.0.1:{upstream_port}",
            "toxics": list(toxics),
        }
        status, shown = await self.call("POST", "/proxies", wanted)
        assert status == 201, shown
        return int(shown["listen"].rpartition(":")[2])

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the records written so far, of these kinds."""
        lines = self.events_path.read_text().splitlines()
        records = [json.loads(line) for line in lines]
        return [record for record in records if not kinds or record["kind"] in kinds]


@asynccontextmanager
async def site(folder: Path, *, seed: int = 0) -> AsyncIterator[Site]:
    """Serve; leaving stops everything and closes the event file."""
    clock = SystemClock()
    path = folder / "proxy.1.ndjson"
    log = EventLog(path, service="proxy", incarnation="1", clock=clock)
    log.start()
    evidence = Evidence(log, clock)
    registry = Registry(Surroundings(seed=seed, clock=clock, evidence=evidence))
    api = Api(registry, seed=seed)
    server = HttpServer(api)
    port = await server.start("127.0.0.1", 0)
    try:
        yield Site(registry=registry, api=api, port=port, events_path=path)
    finally:
        registry.stop()
        await server.stop()
        await settled()
        evidence.close()
        log.close()


async def settled() -> None:
    """Let everything happen that needs no waiting."""
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def upstream(serve: Serve) -> AsyncIterator[int]:
    """Serve each client with `serve`, close it afterwards; yield the port."""
    tasks: set[asyncio.Task[Any] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            if task is not None:
                task.cancel()
        await settled()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send everything back."""
    while content := await reader.read(65536):
        writer.write(content)
        await writer.drain()


def sends(content: bytes) -> Serve:
    """Return a server that sends `content` and ends."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return serve


class Client:
    """A client of a proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def socket(self) -> socket.socket:
        raw: socket.socket = self.writer.get_extra_info("socket")
        return raw

    async def ask(self, content: bytes) -> bytes:
        """Send, and wait for as many bytes."""
        self.writer.write(content)
        return await self.reader.readexactly(len(content))

    async def ending(self) -> tuple[str, bytes]:
        """Read to the end; return `eof` or `reset`, and what came before it."""
        content = b""
        try:
            while piece := await self.reader.read(65536):
                content += piece
        except ConnectionResetError:
            return "reset", content
        return "eof", content

    def reset(self) -> None:
        """Break off with an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        self.writer.transport.abort()


@asynccontextmanager
async def connected(port: int, **options: Any) -> AsyncIterator[Client]:
    """Connect; leaving closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()
        await settled()


@asynccontextmanager
async def through(
    folder: Path, serve: Serve, *toxics: dict[str, Any], **options: Any
) -> AsyncIterator[tuple[Site, Client]]:
    """Connect one client through a proxy with toxics to a server; the usual scene."""
    async with site(folder) as here, upstream(serve) as server:
        port = await here.proxy(server, *toxics)
        async with connected(port, **options) as client:
            yield here, client


async def until(claim: Callable[[], bool]) -> None:
    """Wait until a claim about files and lists is true; the test's own bound ends the wait."""
    while not claim():  # noqa: ASYNC110 - nobody sets an event when a record is written
        await asyncio.sleep(0.002)

"""A fault proxy process of our own: started, driven, brought back when wedged, ended."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from fault_injectors.toxiproxy.client import ToxiproxyClient
from fault_injectors.toxiproxy.errors import (
    DeadlineMissed,
    ProxyError,
    ProxyNotStarted,
)
from fault_injectors.toxiproxy.programs import (
    HOST,
    EmbeddedProgram,
    Program,
    Started,
    ToxiproxyProgram,
    end,
    find_toxiproxy_server,
    kill,
)
from fault_injectors.toxiproxy.transport import Transport
from fault_injectors.toxiproxy.values import Proxy, ProxyKind

LAST_DELETE_DEADLINE_S = 2.0  # may still make a blocked API whole, if no client came since


class ProxyServer:
    """One proxy process and the client that drives it.

    Use `ProxyServer.start`; leaving its context ends the process.

    Args:
        program: What to start.
        kind: Which program it is.
        port: Control port; None lets the system choose, and it is kept from then on.
    """

    def __init__(self, program: Program, *, kind: ProxyKind, port: int | None = None) -> None:
        self.kind = kind
        self._program = program
        self._port = port
        self._started: Started | None = None
        self._client: ToxiproxyClient | None = None
        self._restarts = 0
        self._turn = asyncio.Lock()
        self._is_let_go = False

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        kind: ProxyKind | str = ProxyKind.EMBEDDED,
        *,
        env: Mapping[str, str],
        log_path: Path,
        port: int | None = None,
        binary: Path | None = None,
    ) -> AsyncIterator[Self]:
        """Start a proxy process; leaving the context ends it, after an error or cancellation too.

        Args:
            kind: Which program; `embedded` or `toxiproxy`.
            env: The whole environment of the process, `ATLAS_EVENT_DIR` and `ATLAS_SEED` included.
            log_path: File that its output is appended to; its folder must exist.
            port: Control port on 127.0.0.1; None lets the system choose.
            binary: The vendor's server; None looks into `.tools/bin`, then on PATH.

        Raises:
            ProxyNotStarted: If it does not become ready; nothing is left running.
        """
        kind = ProxyKind(kind)
        program = _program(kind, env=env, log_path=log_path, binary=binary)
        server = cls(program, kind=kind, port=port)
        await server._launch()
        try:
            yield server
        finally:
            await server._end()

    @property
    def client(self) -> ToxiproxyClient:
        """Return the client; the same one after a restart."""
        if self._client is None:
            raise ProxyNotStarted("the proxy has not been started")
        return self._client

    @property
    def pid(self) -> int:
        """Return the process id of the present process."""
        return self._running.process.pid

    @property
    def port(self) -> int:
        """Return the control port on 127.0.0.1."""
        return self._running.port

    @property
    def is_alive(self) -> bool:
        """Return whether the process runs."""
        return self._started is not None and self._started.process.returncode is None

    def let_go(self) -> None:
        """Leave the process running when the context ends; somebody else ends it then."""
        self._is_let_go = True

    async def restart(self) -> None:
        """Kill the process, start it on the same port and create its proxies again.

        Toxics are not put back: a run that needed this is over, as HARNESS_ERROR.

        Raises:
            ProxyError: If it does not come back.
        """
        async with self._turn:
            await self._restart()

    @property
    def _running(self) -> Started:
        if self._started is None:
            raise ProxyNotStarted("the proxy has not been started")
        return self._started

    async def _launch(self) -> None:
        self._started = await self._program.start(self._port)
        self._port = self._started.port
        if self._client is None:
            transport = Transport(HOST, self._port)
            self._client = ToxiproxyClient(transport, kind=self.kind, recover=self._recover)

    async def _end(self) -> None:
        if self._started is not None and not self._is_let_go:
            await end(self._started.process)

    async def _restart(self) -> None:
        proxies = self.client.known
        await kill(self._running.process)
        self._restarts += 1
        await self._launch()
        # A client without recovery: a server that is wedged again is not worth another restart.
        fresh = ToxiproxyClient(Transport(HOST, self.port), kind=self.kind)
        for proxy in proxies:
            await fresh.create(proxy)

    async def _recover(self, about: str | None) -> str:
        """Bring a wedged server back, once for all calls that found it wedged."""
        seen = self._restarts
        async with self._turn:
            if self._restarts != seen:
                return "the server was restarted meanwhile"
            deleted = await self._last_delete(about)
            try:
                await self._restart()
            except ProxyError as error:
                return f"{deleted}; it was killed and did not come back: {error}"
            names = ", ".join(map(repr, _names(self.client.known))) or "none"
            return f"{deleted}; it was killed and started again on its ports, proxies: {names}"

    async def _last_delete(self, about: str | None) -> str:
        if about is None:
            return "the server was wedged"
        transport = Transport(HOST, self.port)
        try:
            await transport.call("delete", f"/proxies/{about}", deadline_s=LAST_DELETE_DEADLINE_S)
        except (ProxyError, DeadlineMissed):
            return f"deleting proxy {about!r} did not help"
        return f"proxy {about!r} could still be deleted"


def _names(proxies: tuple[Proxy, ...]) -> list[str]:
    return [proxy.name for proxy in proxies]


def _program(
    kind: ProxyKind, *, env: Mapping[str, str], log_path: Path, binary: Path | None
) -> Program:
    if kind is ProxyKind.EMBEDDED:
        return EmbeddedProgram(env=env, log_path=log_path)
    found = binary or find_toxiproxy_server()
    if found is None:
        raise ProxyNotStarted(
            "no toxiproxy-server in .tools/bin or on PATH; `make setup` installs it"
        )
    return ToxiproxyProgram(found, env=env, log_path=log_path)

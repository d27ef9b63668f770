"""Act on the traffic of links through a fault proxy between every client and server."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fault_injectors.toxics import Stream, Toxic, behaviour_from
from fault_injectors.toxiproxy import (
    Proxy,
    ProxyError,
    ProxyKind,
    ProxyServer,
    ToxiproxyClient,
)
from harness.environments.journal import Journal
from harness.environments.ports import Ports
from harness.model.errors import FaultNotApplied, FaultNotHealed, HarnessError
from harness.model.fault import Applied, Effect, ToxicSpec
from harness.model.system import Link

_STREAMS = {
    "both": ("upstream", "downstream"),
    "request": ("upstream",),
    "response": ("downstream",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedLink:
    """A link and the address of its server, for the fault proxy in between."""

    link: Link
    upstream: str

    @property
    def proxy(self) -> str:
        """Return the name of the link's proxy, as it stands in the proxy's records."""
        return f"{self.link.client}-{self.link.server}"


class FaultProxy(Protocol):
    """A fault proxy that runs, as a process of ours or in a container."""

    @property
    def client(self) -> ToxiproxyClient:
        """Return the client that drives it."""
        ...

    @property
    def port(self) -> int:
        """Return its control port on 127.0.0.1."""
        ...

    @property
    def is_alive(self) -> bool:
        """Return whether it runs."""
        ...

    def let_go(self) -> None:
        """Leave it running when its context ends."""
        ...


class ProxiedNetwork:
    """The links of one run, each behind a proxy of its own."""

    def __init__(
        self, server: FaultProxy, proxies: Mapping[Link, Proxy], *, journal: Journal
    ) -> None:
        self._server = server
        self._proxies = proxies
        self._journal = journal
        self._downs: Counter[Link] = Counter()
        self._toxics = 0

    def addresses(self) -> Mapping[Link, str]:
        """Return where the client of each link finds its server."""
        return {link: proxy.listen for link, proxy in self._proxies.items()}

    @property
    def control(self) -> str:
        """Return `host:port` of the proxy's control API."""
        return f"127.0.0.1:{self._server.port}"

    def let_go(self) -> None:
        """Leave the proxy running for a system that is kept."""
        self._server.let_go()

    def check_alive(self) -> None:
        """Raise if the proxy process has died: without it every link is down."""
        if not self._server.is_alive:
            raise HarnessError("the fault proxy has died")

    def toxic(self, link: Link, toxic: ToxicSpec) -> Effect:
        """Put a toxic on a link; leaving takes it off."""
        self._toxics += 1
        made = Toxic(
            name=f"{toxic.type}-{self._toxics}",
            behaviour=behaviour_from(toxic.type, toxic.attributes),
            stream=Stream(toxic.stream),
            toxicity=toxic.share,
        )
        return self._poisoned(self._proxy(link), made)

    def down(self, link: Link) -> Effect:
        """Refuse and cut the connections of a link; two overlapping ones are counted."""
        return self._disabled(link, self._proxy(link))

    def partition(self, link: Link, *, direction: str, answer: str) -> Effect:
        """Swallow all data on the streams of a direction, or refuse and cut for `reject`.

        Raises:
            FaultNotApplied: If one direction is to be rejected: the proxy ends both at once.
        """
        if answer == "drop":
            return self._silenced(link, _STREAMS[direction])
        if direction != "both":
            raise FaultNotApplied(f"a proxy cannot reject the {direction}s of '{link}' alone")
        return self.down(link)

    @asynccontextmanager
    async def _silenced(self, link: Link, streams: Sequence[str]) -> AsyncIterator[Applied]:
        async with AsyncExitStack() as stack:
            laid = [
                await stack.enter_async_context(
                    self.toxic(
                        link, ToxicSpec(type="timeout", stream=stream, attributes={"timeout": 0})
                    )
                )
                for stream in streams
            ]
            yield Applied(read_back="; ".join(one.read_back for one in laid))

    def _proxy(self, link: Link) -> Proxy:
        proxy = self._proxies.get(link)
        if proxy is None:
            raise FaultNotApplied(f"link '{link}' is not among the links of this run")
        return proxy

    @asynccontextmanager
    async def _poisoned(self, proxy: Proxy, toxic: Toxic) -> AsyncIterator[Applied]:
        client = self._server.client
        act = f"toxic {toxic.name} on {proxy.name}"
        with self._journal.undoing(act, {"kind": "ends_with_process"}):
            try:
                await client.add_toxic(proxy.name, toxic)
            except ProxyError as error:
                raise FaultNotApplied(f"{act}: {error}") from error
            try:
                yield Applied(read_back=f"{act}: {toxic.behaviour.attributes()}")
            finally:
                try:
                    await client.remove_toxic(proxy.name, toxic.name)
                except ProxyError as error:
                    raise FaultNotHealed(f"{act}: {error}") from error

    @asynccontextmanager
    async def _disabled(self, link: Link, proxy: Proxy) -> AsyncIterator[Applied]:
        with self._journal.undoing(f"down {proxy.name}", {"kind": "ends_with_process"}):
            self._downs[link] += 1
            try:
                await self._switch(proxy, enabled=False, error=FaultNotApplied)
                yield Applied(read_back=f"{proxy.name} at {proxy.listen} is disabled")
            finally:
                self._downs[link] -= 1
                if not self._downs[link]:
                    await self._switch(proxy, enabled=True, error=FaultNotHealed)

    async def _switch(self, proxy: Proxy, *, enabled: bool, error: type[HarnessError]) -> None:
        try:
            await self._server.client.set_enabled(proxy.name, enabled=enabled)
        except ProxyError as failure:
            raise error(f"{proxy.name} enabled={enabled}: {failure}") from failure


@asynccontextmanager
async def fault_proxy(
    links: Sequence[ProxiedLink],
    *,
    kind: ProxyKind,
    environment: Mapping[str, str],
    ports: Ports,
    journal: Journal,
    log: Path,
) -> AsyncIterator[ProxiedNetwork]:
    """Run a fault proxy with one proxy for each link; leaving ends it.

    Raises:
        HarnessError: If the proxy does not start or refuses a link.
    """
    try:
        async with ProxyServer.start(
            kind, env=environment, log_path=log, port=ports.take()
        ) as server:
            proxies = {one.link: await _create(server, one, ports.take()) for one in links}
            yield ProxiedNetwork(server, proxies, journal=journal)
    except ProxyError as error:
        raise HarnessError(f"fault proxy: {error}") from error


async def _create(server: ProxyServer, link: ProxiedLink, port: int) -> Proxy:
    """Create a link's proxy on a port of ours, which nobody takes while the link is down."""
    return await server.client.create(
        Proxy(name=link.proxy, listen=f"127.0.0.1:{port}", upstream=link.upstream)
    )

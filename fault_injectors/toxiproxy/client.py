"""A typed client of the Toxiproxy API that believes nothing it has not read back."""

import math
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from fault_injectors.toxics import ResetPeer, Toxic
from fault_injectors.toxiproxy.errors import DeadlineMissed, ProxyWedged, ReadBackDiffers
from fault_injectors.toxiproxy.read_back import (
    compare_proxy,
    compare_toxic,
    read_proxies,
    read_proxy,
    read_toxics,
)
from fault_injectors.toxiproxy.rules import check_toxic
from fault_injectors.toxiproxy.transport import Reply, Transport
from fault_injectors.toxiproxy.values import Proxy, ProxyKind

READ_DEADLINE_S = 2.0  # the vendor's server answers in milliseconds unless it is blocked
CHANGE_DEADLINE_S = 5.0  # a change of toxics waits for every live connection of the direction

Recover = Callable[[str | None], Awaitable[str]]
"""Bring a wedged server back; takes the proxy that the call was about, returns what was done."""


class ToxiproxyClient:
    """Create proxies and change toxics; every change is read back and compared.

    A call that misses its deadline is never retried. If the server is ours it is brought back, and
    `ProxyWedged` is raised all the same: what the call did meanwhile nobody knows.

    Args:
        transport: Reaches the server's control API.
        kind: Which program it is, which decides what may be sent.
        recover: Brings the server back after a missed deadline; None for one that is not ours.
    """

    def __init__(
        self, transport: Transport, *, kind: ProxyKind, recover: Recover | None = None
    ) -> None:
        self.kind = kind
        self._transport = transport
        self._recover = recover
        self._known: dict[str, Proxy] = {}

    @property
    def known(self) -> tuple[Proxy, ...]:
        """Return the proxies that this client created and did not delete, as last read back."""
        return tuple(self._known.values())

    async def create(self, proxy: Proxy) -> Proxy:
        """Create a proxy and return it with the address that it is bound to.

        Raises:
            ProxyExists: If the name is taken.
            ProxyRefused: If it cannot listen there.
            ProxyError: For everything else that can go wrong.
        """
        body = {
            "name": proxy.name,
            "listen": proxy.listen,
            "upstream": proxy.upstream,
            "enabled": proxy.enabled,
        }
        await self._call("post", "/proxies", about=proxy.name, body=body)
        created = await self.get(proxy.name)
        compare_proxy(proxy, created)
        self._known[proxy.name] = created
        return created

    async def get(self, name: str) -> Proxy:
        """Return a proxy.

        Raises:
            ProxyNotFound: If there is none of this name.
        """
        reply = await self._call("get", _path(name), about=name)
        return read_proxy(reply.value)

    async def list(self) -> tuple[Proxy, ...]:
        """Return all proxies of the server, by name."""
        reply = await self._call("get", "/proxies", about=None)
        return read_proxies(reply.value)

    async def set_enabled(self, name: str, *, enabled: bool) -> Proxy:
        """Let a proxy listen, or refuse new connections and cut the present ones.

        Raises:
            ProxyNotFound: If there is none of this name.
            ProxyRefused: If somebody took its port meanwhile.
        """
        await self._call("post", _path(name), about=name, body={"enabled": enabled})
        switched = await self.get(name)
        if switched.enabled is not enabled:
            raise ReadBackDiffers(f"asked for enabled={enabled}, read back {switched}")
        self._known[name] = switched
        return switched

    async def delete(self, name: str) -> None:
        """Delete a proxy, which cuts its connections.

        Raises:
            ProxyNotFound: If there is none of this name.
        """
        await self._call("delete", _path(name), about=name)
        if any(proxy.name == name for proxy in await self.list()):
            raise ReadBackDiffers(f"proxy {name!r} was deleted and is still in the list")
        self._known.pop(name, None)

    async def toxics(self, proxy: str) -> tuple[Toxic, ...]:
        """Return the toxics of a proxy: upstream first, each stream in order of creation."""
        reply = await self._call("get", _path(proxy, "toxics"), about=proxy)
        return read_toxics(reply.value)

    async def add_toxic(self, proxy: str, toxic: Toxic) -> None:
        """Put a toxic in force, on live connections too.

        Raises:
            ToxicRefused: If it may not be sent to this kind of proxy; nothing was sent.
            ProxyExists: If the proxy has one of this name.
        """
        check_toxic(toxic, self.kind)
        body = {
            "name": toxic.name,
            "type": toxic.behaviour.toxic_type,
            "stream": toxic.stream.value,
            "toxicity": toxic.toxicity,
            "attributes": toxic.behaviour.attributes(),
        }
        path = _path(proxy, "toxics")
        await self._call("post", path, about=proxy, body=body, deadline_s=CHANGE_DEADLINE_S)
        compare_toxic(toxic, await self.toxics(proxy))

    async def update_toxic(self, proxy: str, toxic: Toxic) -> None:
        """Change attributes and toxicity of a toxic; it releases what it holds and draws again.

        Raises:
            ToxicRefused: If it may not be sent to this kind of proxy; nothing was sent.
            ProxyNotFound: If the proxy has none of this name.
            ReadBackDiffers: If type or stream are others: they cannot be changed.
        """
        check_toxic(toxic, self.kind)
        body = {"toxicity": toxic.toxicity, "attributes": toxic.behaviour.attributes()}
        path = _path(proxy, "toxics", toxic.name)
        await self._call("post", path, about=proxy, body=body, deadline_s=CHANGE_DEADLINE_S)
        compare_toxic(toxic, await self.toxics(proxy))

    async def remove_toxic(self, proxy: str, name: str) -> None:
        """Take a toxic out of force; what it holds goes on at once.

        Removing a timeout closes the connections that it acted on. The real server takes as long
        as a reset that is under way, and gets that time.

        Raises:
            ProxyNotFound: If the proxy has none of this name.
        """
        waits_s = [
            toxic.behaviour.after_s
            for toxic in await self.toxics(proxy)
            if toxic.name == name and isinstance(toxic.behaviour, ResetPeer)
        ]
        path = _path(proxy, "toxics", name)
        deadline_s = CHANGE_DEADLINE_S + math.fsum(waits_s)
        await self._call("delete", path, about=proxy, deadline_s=deadline_s)
        if any(toxic.name == name for toxic in await self.toxics(proxy)):
            raise ReadBackDiffers(f"toxic {name!r} was removed and is still in the list")

    async def _call(
        self,
        method: str,
        path: str,
        *,
        about: str | None,
        body: object = None,
        deadline_s: float = READ_DEADLINE_S,
    ) -> Reply:
        try:
            return await self._transport.call(method, path, body=body, deadline_s=deadline_s)
        except DeadlineMissed as error:
            done = "" if self._recover is None else f"; {await self._recover(about)}"
            raise ProxyWedged(f"{error}{done}") from error


def _path(proxy: str, *parts: str) -> str:
    return "/" + "/".join(quote(part, safe="") for part in ("proxies", proxy, *parts))

"""The proxies of one process, and what may be done to them.

Nothing here waits: a change is done, on every live connection, when the call returns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fault_injectors.proxy.answers import ApiError
from fault_injectors.proxy.listener import ListenFailed
from fault_injectors.proxy.live_proxy import InstalledToxic, LiveProxy, Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A proxy that a client asks for.

    Args:
        name: Its name.
        listen: Address to listen on; empty for any free port of 127.0.0.1.
        upstream: Address to connect clients with, resolved at each connection.
        enabled: Whether it listens from the start.
        toxics: Toxics that are in force from the first byte.
    """

    name: str
    listen: str
    upstream: str
    enabled: bool
    toxics: tuple[InstalledToxic, ...] = ()


class Registry:
    """Create, change and remove proxies."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._proxies: dict[str, LiveProxy] = {}

    @property
    def proxies(self) -> tuple[LiveProxy, ...]:
        """Return all proxies, by name."""
        return tuple(self._proxies[name] for name in sorted(self._proxies))

    def get(self, name: str) -> LiveProxy:
        """Return a proxy.

        Raises:
            ApiError: With 404 if there is none of this name.
        """
        proxy = self._proxies.get(name)
        if proxy is None:
            raise ApiError(404, "proxy not found")
        return proxy

    def create(self, wanted: Wanted) -> LiveProxy:
        """Create a proxy with its toxics, in one step.

        Raises:
            ApiError: With 409 if the name is taken, 500 if it cannot listen.
        """
        if wanted.name in self._proxies:
            raise ApiError(409, "proxy already exists")
        return self._put(wanted)

    def populate(self, wanted: Sequence[Wanted], done: list[LiveProxy]) -> None:
        """Add or replace proxies in order; one that does not differ is left as it is.

        Args:
            wanted: What is asked for; `enabled` and toxics of an equal proxy are not looked at.
            done: Takes the proxies as they are done, so that a failure can tell how far it came.

        Raises:
            ApiError: With 500 if one cannot listen; its predecessor stays, disabled.
        """
        for each in wanted:
            present = self._proxies.get(each.name)
            if present is not None:
                if not _differs(present, listen=each.listen, upstream=each.upstream):
                    done.append(present)
                    continue
                present.stop()
            done.append(self._put(each))

    def update(self, proxy: LiveProxy, wanted: Wanted) -> None:
        """Change a proxy; a new address or upstream cuts its connections, equal values do not.

        Raises:
            ApiError: With 500 if it cannot listen; it is disabled then, with the new address.
        """
        if _differs(proxy, listen=wanted.listen, upstream=wanted.upstream):
            proxy.stop()
            proxy.listen, proxy.upstream = wanted.listen, wanted.upstream
        if wanted.enabled:
            _start(proxy)
        else:
            proxy.stop()

    def delete(self, name: str) -> None:
        """Cut and forget a proxy.

        Raises:
            ApiError: With 404 if there is none of this name.
        """
        self.get(name).stop()
        del self._proxies[name]

    def reset(self) -> None:
        """Enable every proxy and remove every toxic.

        Raises:
            ApiError: With 500 if one cannot listen; those before it are done.
        """
        for proxy in self.proxies:
            _start(proxy)
            for installed in proxy.toxics:
                proxy.remove_toxic(installed)

    def stop(self) -> None:
        """Cut everything."""
        for proxy in self.proxies:
            proxy.stop()

    def _put(self, wanted: Wanted) -> LiveProxy:
        proxy = LiveProxy(
            wanted.name, listen=wanted.listen, upstream=wanted.upstream, around=self._around
        )
        for installed in wanted.toxics:  # before it listens: they are there for the first byte
            proxy.add_toxic(installed)
        if wanted.enabled:
            _start(proxy)
        self._proxies[wanted.name] = proxy
        return proxy


def _differs(proxy: LiveProxy, *, listen: str, upstream: str) -> bool:
    try:
        return proxy.differs(listen=listen, upstream=upstream)
    except ListenFailed as error:
        raise ApiError(500, str(error)) from error


def _start(proxy: LiveProxy) -> None:
    try:
        proxy.start()
    except ListenFailed as error:
        raise ApiError(500, str(error)) from error

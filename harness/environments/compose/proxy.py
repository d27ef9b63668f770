"""A fault proxy in its container, the vendor's or our own, driven by the same client."""

from collections.abc import Sequence

from fault_injectors.toxiproxy import Proxy, ProxyError, ProxyKind, ToxiproxyClient, Transport
from harness.clock import Clock
from harness.environments.compose.stack import PROXIES
from harness.environments.network import ProxiedLink
from harness.model.errors import ServiceNotReady
from harness.model.system import Link

_READY_WITHIN_S = 30.0  # it answers 0.5 s after its start
_POLL_S = 0.05


class ContainedProxy:
    """A fault proxy that runs in a container of the run.

    Args:
        port: Published port of its control API.
        kind: Which one it is.
    """

    def __init__(self, port: int, kind: ProxyKind) -> None:
        # Without recovery: a wedged server takes the run with it, and the run ends all containers.
        self.client = ToxiproxyClient(Transport("127.0.0.1", port), kind=kind)
        self.port = port
        self.kind = kind
        self.is_alive = True

    @property
    def service(self) -> str:
        """Return its name in the Compose file."""
        return PROXIES[self.kind]

    def died(self) -> None:
        """Take note that its container ended."""
        self.is_alive = False

    def let_go(self) -> None:
        """Leave it running: it ends with its container."""

    async def links(self, wanted: Sequence[ProxiedLink], *, clock: Clock) -> dict[Link, Proxy]:
        """Wait until it answers, and return the proxy of each link.

        Raises:
            ServiceNotReady: If it does not answer in time, or carries no proxy for a link.
        """
        known = {proxy.name: proxy for proxy in await self._listed(clock)}
        lacking = [one.proxy for one in wanted if one.proxy not in known]
        if lacking:
            raise ServiceNotReady(
                f"{self.service!r} has no proxy {', '.join(map(repr, lacking))}; each link "
                "'a -> b' needs one called 'a-b' in its configuration"
            )
        return {one.link: known[one.proxy] for one in wanted}

    async def _listed(self, clock: Clock) -> tuple[Proxy, ...]:
        why = ""
        for _ in range(int(_READY_WITHIN_S / _POLL_S)):
            if not self.is_alive:
                raise ServiceNotReady(f"container {self.service!r} ended while it started")
            try:
                return await self.client.list()
            except ProxyError as error:
                why = str(error)
            await clock.sleep(_POLL_S)
        raise ServiceNotReady(
            f"{self.service!r} did not answer within {_READY_WITHIN_S:g} s: {why}"
        )

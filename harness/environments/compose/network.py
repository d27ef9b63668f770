"""Act on the links of containers: streams in the proxy, packets in the client's own network."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from harness.environments.compose.attachments import address_between
from harness.environments.compose.containers import ServiceContainer
from harness.environments.compose.engine import Engine
from harness.environments.compose.packets import Packets, Rule
from harness.environments.network import ProxiedNetwork
from harness.model.errors import FaultNotApplied
from harness.model.fault import Applied, Effect, ToxicSpec
from harness.model.system import Link

_ANSWERS = {"drop": ("DROP",), "reject": ("REJECT", "--reject-with", "tcp-reset")}


class ContainedNetwork:
    """The links of one run in containers.

    Args:
        proxied: The proxies of the links.
        packets: The packet filters of the containers.
        services: The containers of the services, by name.
        proxy: Id of the proxy's container.
        engine: The Docker engine.
    """

    def __init__(
        self,
        proxied: ProxiedNetwork,
        packets: Packets,
        *,
        services: Mapping[str, ServiceContainer],
        proxy: str,
        engine: Engine,
    ) -> None:
        self._proxied = proxied
        self._packets = packets
        self._services = services
        self._proxy = proxy
        self._engine = engine

    def check_alive(self) -> None:
        """Raise if the proxy has died: without it every link is down."""
        self._proxied.check_alive()

    def toxic(self, link: Link, toxic: ToxicSpec) -> Effect:
        """Put a toxic on a link; leaving takes it off."""
        return self._proxied.toxic(link, toxic)

    def down(self, link: Link) -> Effect:
        """Refuse and cut the connections of a link."""
        return self._proxied.down(link)

    @asynccontextmanager
    async def partition(self, link: Link, *, direction: str, answer: str) -> AsyncIterator[Applied]:
        """Keep the packets of a link back, in both directions in the network of its client.

        Only between client and proxy a link has a port of its own. Between proxy and server all
        links of that server share one, so a rule there would hit the other clients as well.

        Raises:
            FaultNotApplied: If the link is not of this run, or its client does not run.
        """
        listen = self._proxied.addresses().get(link)
        client = self._services.get(link.client)
        if listen is None or client is None:
            raise FaultNotApplied(f"link '{link}' is not among the links of this run")
        address = await address_between(client.container, self._proxy, engine=self._engine)
        rules = partition_rules(
            address, int(listen.rpartition(":")[2]), direction=direction, answer=answer
        )
        act = f"partition {link}: {answer} {direction} at {address}"
        async with self._packets.in_force(client, rules, act=act) as applied:
            yield applied


def partition_rules(address: str, port: int, *, direction: str, answer: str) -> list[Rule]:
    """Return the rules for a client of `address:port`.

    A reset for its sender comes to the client over its loopback, so what comes in there passes.

    >>> [rule] = partition_rules("10.0.0.2", 7001, direction="request", answer="drop")
    >>> rule.chain
    'OUTPUT'
    """
    target = _ANSWERS[answer]
    to = ("-p", "tcp", "-d", address, "--dport", str(port))
    back = ("!", "-i", "lo", "-p", "tcp", "-s", address, "--sport", str(port))
    rules = {
        "request": Rule(chain="OUTPUT", match=to, target=target),
        "response": Rule(chain="INPUT", match=back, target=target),
    }
    return list(rules.values()) if direction == "both" else [rules[direction]]

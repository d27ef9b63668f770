"""One proxy at work: its listener, its connections and its toxics."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from fault_injectors.proxy.addresses import (
    AddressRefused,
    join_host_port,
    resolve_listen,
    split_host_port,
)
from fault_injectors.proxy.connection import Connection
from fault_injectors.proxy.evidence import Evidence, Traffic
from fault_injectors.proxy.lane import Lane
from fault_injectors.proxy.listener import Listener, ListenFailed
from fault_injectors.toxics import SeededChance, Stream, Toxic
from harness.clock import Clock

DIAL_TIMEOUT_S = 10.0  # a black-holed upstream: longer than any connect timeout worth testing


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every proxy of a process shares.

    Args:
        seed: Seed of the run, from which every draw is derived.
        clock: Tells the time of records and timers.
        evidence: Takes what happens.
        beyond_loopback: Whether proxies may listen on addresses beyond loopback.
    """

    seed: int
    clock: Clock
    evidence: Evidence
    beyond_loopback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledToxic:
    """A toxic as the API shows it.

    Args:
        toxic: What acts on the traffic.
        spelt_stream: The stream as the client spelt it; compared without regard to case.
        attributes: All attributes of the type, in its order, as whole numbers of API units.
    """

    toxic: Toxic
    spelt_stream: str
    attributes: Mapping[str, int]

    @property
    def name(self) -> str:
        """Return the name, unique in its proxy."""
        return self.toxic.name

    @property
    def toxic_type(self) -> str:
        """Return the API's name of the type."""
        return self.toxic.behaviour.toxic_type


class LiveProxy:
    """Listen, connect each client with the upstream, and keep toxics in force."""

    def __init__(self, name: str, *, listen: str, upstream: str, around: Surroundings) -> None:
        self.name = name
        self.listen = listen  # as given until the first start, then what is bound
        self.upstream = upstream
        self.enabled = False
        self._installed: list[InstalledToxic] = []
        self._around = around
        self._listener: Listener | None = None
        self._ordinal = 0
        self._connections: dict[Connection, None] = {}
        self._dials: set[asyncio.Task[None]] = set()

    @property
    def toxics(self) -> tuple[InstalledToxic, ...]:
        """Return the toxics: upstream first, each stream in order of creation."""
        order = (Stream.UPSTREAM, Stream.DOWNSTREAM)
        return tuple(sorted(self._installed, key=lambda each: order.index(each.toxic.stream)))

    def find_toxic(self, name: str) -> InstalledToxic | None:
        """Return the toxic of this name, on either stream, or None."""
        return next((each for each in self._installed if each.name == name), None)

    def differs(self, *, listen: str, upstream: str) -> bool:
        """Return whether these would need a new listener; port 0 always does.

        Raises:
            ListenFailed: If `listen` is malformed.
        """
        try:
            resolved = join_host_port(
                *resolve_listen(listen, beyond_loopback=self._around.beyond_loopback)
            )
        except AddressRefused as error:
            raise ListenFailed(str(error)) from error
        return resolved != self.listen or upstream != self.upstream

    def start(self) -> None:
        """Listen; a proxy that listens already is left alone.

        Raises:
            ListenFailed: If the address cannot be had; the proxy stays disabled.
        """
        if self.enabled:
            return
        self._listener = Listener(
            self.listen, self._accepted, beyond_loopback=self._around.beyond_loopback
        )
        self.listen = self._listener.address
        self.enabled = True
        self._around.evidence.proxy_switched(self.name, enabled=True, connections_cut=0)

    def stop(self) -> None:
        """Refuse new connections and cut the present ones, without what is on its way."""
        if not self.enabled:
            return
        self.enabled = False
        if self._listener is not None:
            self._listener.close()
        for dial in self._dials:
            dial.cancel()
        cut = len(self._connections)
        for connection in tuple(self._connections):
            connection.cut()
        self._around.evidence.proxy_switched(self.name, enabled=False, connections_cut=cut)

    def add_toxic(self, installed: InstalledToxic) -> None:
        """Put a toxic in force, on live connections too."""
        self._installed.append(installed)
        for lane in self._lanes(installed.toxic.stream):
            lane.add(installed.toxic)
        self._record(installed, "added")

    def update_toxic(self, installed: InstalledToxic) -> None:
        """Replace the toxic of the same name; live connections draw again."""
        names = [each.name for each in self._installed]
        self._installed[names.index(installed.name)] = installed
        for lane in self._lanes(installed.toxic.stream):
            lane.update(installed.toxic)
        self._record(installed, "updated")

    def remove_toxic(self, installed: InstalledToxic) -> None:
        """Take a toxic out of force; what it holds goes on at once."""
        self._installed.remove(installed)
        for lane in self._lanes(installed.toxic.stream):
            lane.remove(installed.name)
        self._record(installed, "removed")

    def _record(self, installed: InstalledToxic, what: str) -> None:
        self._around.evidence.toxic_changed(
            self.name, toxic=installed.name, toxic_type=installed.toxic_type, what=what
        )

    def _lanes(self, stream: Stream) -> list[Lane]:
        return [each.lane(stream) for each in self._connections if each.is_open]

    def _connection(self) -> Connection:
        ordinal, self._ordinal = self._ordinal, self._ordinal + 1
        return Connection(
            upstream=self._lane(ordinal, Stream.UPSTREAM),
            downstream=self._lane(ordinal, Stream.DOWNSTREAM),
            made=self._made,
            ended=self._ended,
        )

    def _lane(self, ordinal: int, stream: Stream) -> Lane:
        around = self._around
        return Lane(
            Traffic(proxy=self.name, connection=ordinal, stream=stream),
            clock=around.clock,
            evidence=around.evidence,
            chance=SeededChance(
                seed=around.seed, proxy=self.name, connection=ordinal, stream=stream
            ),
        )

    def _accepted(self, client: socket.socket) -> None:
        connection = self._connection()
        self._connections[connection] = None
        dial = asyncio.get_running_loop().create_task(self._join(connection, client))
        self._dials.add(dial)
        dial.add_done_callback(partial(self._joined, connection, client))

    def _made(self, connection: Connection) -> None:
        if not self.enabled:  # stopped between the accept and now, when there was nothing to cut
            connection.cut()

    async def _join(self, connection: Connection, client: socket.socket) -> None:
        """Connect to the upstream, concurrently with other clients; the only task there is."""
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: connection.client, client)
            host, port = split_host_port(self.upstream)
            async with asyncio.timeout(DIAL_TIMEOUT_S):
                await loop.create_connection(lambda: connection.server, host or "127.0.0.1", port)
        except (OSError, UnicodeError, AddressRefused):
            self._connections.pop(connection, None)
            self._record_connection(connection, "refused_upstream")
            connection.refuse()
        else:
            self._record_connection(connection, "opened")
            connection.start(tuple(each.toxic for each in self._installed))

    def _joined(
        self, connection: Connection, client: socket.socket, dial: asyncio.Task[None]
    ) -> None:
        self._dials.discard(dial)
        if connection.client.transport is None:  # cancelled before anything owned the socket
            self._connections.pop(connection, None)
            client.close()

    def _ended(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        if connection.is_open:
            self._record_connection(connection, "closed")

    def _record_connection(self, connection: Connection, what: str) -> None:
        self._around.evidence.connection(
            what,
            client=connection.client_address,
            upstream=connection.upstream.traffic,
            downstream=connection.downstream.traffic,
        )

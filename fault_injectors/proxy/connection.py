"""One client connection of a proxy: two sockets, two lanes, and how they end together."""

import asyncio
import socket
import struct
from collections.abc import Callable
from functools import partial

from fault_injectors.proxy.lane import Lane
from fault_injectors.toxics import Ending, Stream, Toxic, on_stream

LINGER_NONE = struct.pack("ii", 1, 0)  # with this a close sends RST


class Peer(asyncio.Protocol):
    """One socket: what it sends goes into `outgoing`, what `incoming` carries goes to it."""

    def __init__(
        self,
        *,
        outgoing: Lane,
        incoming: Lane,
        made: Callable[[], None],
        lost: Callable[[], None],
    ) -> None:
        self.transport: asyncio.Transport | None = None
        self.is_lost = False
        self._outgoing = outgoing
        self._incoming = incoming
        self._made = made
        self._lost = lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport and read nothing yet: the other side may not be connected.

        Up to Python 3.11.2 a transport begins to read after this call even if it was paused in it,
        and what it read was lost; hence the pause behind that beginning, before the next bytes.
        """
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream protocol gets no other
        self.transport = transport
        asyncio.get_running_loop().call_soon(transport.pause_reading)
        self._made()

    def data_received(self, data: bytes) -> None:
        """Carry bytes to the other side."""
        self._outgoing.arrived(data)

    def eof_received(self) -> bool:
        """Send the end after the bytes; stay open for answers that are still on their way."""
        self._outgoing.finished()
        return True

    def pause_writing(self) -> None:
        """Hold the other side back: this one does not read."""
        self._incoming.block()

    def resume_writing(self) -> None:
        """Let the other side go on."""
        self._incoming.unblock()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - an RST is an end like any
        """Pass the end on behind the bytes, and drop what was meant for this side."""
        self.is_lost = True
        self._outgoing.finished()
        self._incoming.cancel()
        self._lost()

    def close(self, *, resets: bool, is_abrupt: bool) -> None:
        """Close the socket, by RST if `resets`; drop what is unsent if `is_abrupt`."""
        if self.transport is None or self.is_lost:
            return
        if resets:
            raw = self.transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        if is_abrupt:
            self.transport.abort()
        else:
            self.transport.close()


class Connection:
    """Join a client with the upstream; no half-close and no RST crosses, as in Toxiproxy."""

    def __init__(
        self,
        *,
        upstream: Lane,
        downstream: Lane,
        made: Callable[["Connection"], None],
        ended: Callable[["Connection"], None],
    ) -> None:
        self.upstream = upstream
        self.downstream = downstream
        self.is_open = False
        self.client = Peer(
            outgoing=upstream,
            incoming=downstream,
            made=lambda: made(self),
            lost=self._peer_lost,
        )
        self.server = Peer(
            outgoing=downstream,
            incoming=upstream,
            made=lambda: None,
            lost=self._peer_lost,
        )
        self._ended = ended
        self._is_reset = False

    @property
    def client_address(self) -> str:
        """Return `host:port` of the client; empty if it was gone before it could be asked."""
        transport = self.client.transport
        name = None if transport is None else transport.get_extra_info("peername")
        return "" if not name else f"{name[0]}:{name[1]}"

    def lane(self, stream: Stream) -> Lane:
        """Return the lane of a direction."""
        return self.upstream if stream is Stream.UPSTREAM else self.downstream

    def start(self, toxics: tuple[Toxic, ...]) -> None:
        """Begin to carry, once both sides are connected."""
        client, server = self.client.transport, self.server.transport
        if client is None or server is None or self.client.is_lost or self.server.is_lost:
            self.cut()
            return
        self.is_open = True
        self.upstream.start(
            on_stream(toxics, Stream.UPSTREAM),
            source=client,
            destination=server,
            close=partial(self._close, self.server),
        )
        self.downstream.start(
            on_stream(toxics, Stream.DOWNSTREAM),
            source=server,
            destination=client,
            close=partial(self._close, self.client),
        )

    def refuse(self) -> None:
        """Close the client, for want of an upstream: it sees EOF, or RST if it sent data."""
        self.client.close(resets=False, is_abrupt=False)

    def cut(self) -> None:
        """Close both sockets at once, without what is on its way."""
        for peer in (self.client, self.server):
            peer.close(resets=False, is_abrupt=True)

    def _close(self, peer: Peer, ending: Ending) -> None:
        """Close one side; the other follows when the end has travelled through its lane."""
        self._is_reset = self._is_reset or ending is Ending.RESET
        resets = self._is_reset or self.upstream.pipe.resets or self.downstream.pipe.resets
        peer.close(resets=resets, is_abrupt=ending is Ending.RESET)

    def _peer_lost(self) -> None:
        if self.client.is_lost and (self.server.is_lost or self.server.transport is None):
            self._ended(self)

"""Open the socket that a service listens on."""

import os
import socket
from typing import Final

BACKLOG: Final = 2048  # connections that the kernel holds while the event loop is busy


def adopt(descriptor: int) -> socket.socket:
    """Take over a listening socket that whoever started us opened, and keeps when we go.

    Clients that come while one process goes and the next one comes wait in its queue.

    Raises:
        OSError: If the descriptor is not that of a socket.
        ValueError: If it is one that does not listen.
    """
    listener = socket.socket(fileno=descriptor)
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        listener.detach()  # not ours to close
        raise ValueError(f"descriptor {descriptor} is a socket that does not listen")
    return listener


def listen(host: str, port: int) -> socket.socket:
    """Listen on one TCP address.

    The socket names its protocol. asyncio switches Nagle's algorithm off only for sockets that do
    (`socket.create_server` makes others), and with it on, the second write of an answer waits
    40 ms for the delayed acknowledgement of the first.

    Raises:
        OSError: If the address cannot be had.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # A restarted service takes over its port although old connections linger.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener

"""Hold the socket that a service listens on, so that a restart refuses nobody.

The harness opens it and lends it to each incarnation, as systemd does with socket activation. The
kernel queues the clients that come between two incarnations; the next one finds them there.
"""

import socket
from typing import Final

BACKLOG: Final = 2048  # two seconds without a service, at the highest rate that a plan allows


class HeldListener:
    """A listening socket on one loopback port; opened at its first use.

    Args:
        port: The port.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def descriptor(self) -> int:
        """Return the descriptor to be inherited by the next incarnation.

        Raises:
            OSError: If the port cannot be had.
        """
        if self._socket is None:
            self._socket = _listen(self._port)
        return self._socket.fileno()

    def close(self) -> None:
        """Refuse clients from now on, unless somebody else listens; may be repeated."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _listen(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only for sockets that name their protocol.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener

"""Accept the clients of one address.

Not `asyncio.Server`: when it is closed between an accept and the transport's birth, the accepted
socket is forgotten open (seen on CPython 3.11), and that client hangs where it should be cut.
"""

import asyncio
import socket
from collections.abc import Callable

from fault_injectors.proxy.addresses import AddressRefused, join_host_port, resolve_listen

BACKLOG = 4096  # the kernel clamps it to its own maximum
ACCEPTS_PER_TURN = 128  # then others get their turn; a crowd is accepted within a few
RETRY_S = 1.0  # out of files or memory: asyncio's own pause


class ListenFailed(Exception):
    """An address could not be listened on; the text says why, as the vendor's server puts it."""


class Listener:
    """Hand accepted sockets on until it is closed.

    Args:
        listen: Address as the API has it.
        beyond_loopback: Whether it may be another than one of this host's loopback.
        accepted: Takes each client's socket, non-blocking, and owns it from then on.

    Raises:
        ListenFailed: If the address cannot be had.
    """

    def __init__(
        self, listen: str, accepted: Callable[[socket.socket], None], *, beyond_loopback: bool
    ) -> None:
        self._socket = _bind(listen, beyond_loopback=beyond_loopback)
        self._accepted = accepted
        self._retry: asyncio.TimerHandle | None = None
        self._resume()

    @property
    def address(self) -> str:
        """Return the address that is bound."""
        return join_host_port(*self._socket.getsockname()[:2])

    def close(self) -> None:
        """Refuse new clients; those in the kernel's queue are reset."""
        if self._retry is not None:
            self._retry.cancel()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _resume(self) -> None:
        asyncio.get_running_loop().add_reader(self._socket, self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_PER_TURN):
            try:
                client, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._pause(error)
                return
            client.setblocking(False)  # noqa: FBT003 - the socket module's signature
            self._accepted(client)

    def _pause(self, error: OSError) -> None:
        """Accept nothing for a while: the socket stays readable, and we would spin."""
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "cannot accept", "exception": error})
        loop.remove_reader(self._socket)
        self._retry = loop.call_later(RETRY_S, self._resume)


def _bind(listen: str, *, beyond_loopback: bool) -> socket.socket:
    try:
        host, port = resolve_listen(listen, beyond_loopback=beyond_loopback)
    except AddressRefused as error:
        raise ListenFailed(f"listen tcp: {error}") from error
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        raise ListenFailed(f"listen tcp {join_host_port(host, port)}: bind: {reason}") from error
    listener.setblocking(False)  # noqa: FBT003 - the socket module's signature
    return listener

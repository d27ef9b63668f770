"""A line to the real Docker engine that can be cut and mended, without the engine's noticing."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CHUNK_BYTES = 65536


class SeverableLine:
    """A socket that stands for the engine's own; behind it every connection is passed through.

    Args:
        path: The socket; clients use it as `DOCKER_HOST`.
        engine: The engine's own socket.
    """

    def __init__(self, path: Path, engine: str) -> None:
        self.host = f"unix://{path}"
        self._path = path
        self._engine = engine
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    def mend(self) -> None:
        """Listen, and pass on what comes."""
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """End all connections and refuse new ones, as an engine that was killed does."""
        self._path.unlink(missing_ok=True)
        for one in [self._listener, *self._open]:
            if one is not None:
                with suppress(OSError):  # it may be closed already by its other end
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # of a closed listener
            while True:
                client, _ = listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._engine)
                self._open |= {client, server}
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # either end may go at any time
        while chunk := source.recv(_CHUNK_BYTES):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


@contextmanager
def severable_line(path: Path, engine: str) -> Iterator[SeverableLine]:
    """Lay a line to the engine at `engine`, as `DOCKER_HOST` says it; leaving cuts it."""
    line = SeverableLine(path, engine.removeprefix("unix://"))
    line.mend()
    try:
        yield line
    finally:
        line.cut()

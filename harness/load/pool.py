"""Keep idle connections, newest first, and only while no server can have given them up."""

import asyncio
from collections import deque

from harness.clock import Clock
from harness.load.connection import Connection
from harness.model.records import NS_PER_S

IDLE_S = 1.5  # under every usual keep-alive timeout: 5 s in uvicorn and Node.js, 2 s in gunicorn


class Pool:
    """The connections to one service; opens as many as are needed at once, without a cap.

    A cap would make operations wait for each other, and the wait would look like the system's.
    """

    def __init__(self, host: str, port: int, *, clock: Clock, idle_s: float = IDLE_S) -> None:
        self._host = host
        self._port = port
        self._clock = clock
        self._idle_ns = round(idle_s * NS_PER_S)
        self._idle: deque[tuple[int, Connection]] = deque()

    def __len__(self) -> int:
        """Return the number of idle connections."""
        return len(self._idle)

    def take(self) -> Connection | None:
        """Return the idle connection that was used last; None if there is none."""
        self._drop_stale()
        while self._idle:
            _, connection = self._idle.pop()
            if connection.is_open:
                return connection
        return None

    async def open(self) -> Connection:
        """Return a new connection.

        Raises:
            OSError: If it cannot be established.
        """
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self._host, self._port)
        return connection

    def release(self, connection: Connection) -> None:
        """Take a connection back whose answer is complete."""
        if connection.is_open:
            self._idle.append((self._clock.now_ns(), connection))

    def close(self) -> None:
        """End all idle connections."""
        while self._idle:
            self._idle.pop()[1].abort()

    def _drop_stale(self) -> None:
        """End what was idle too long; the deque stands oldest first."""
        stale_ns = self._clock.now_ns() - self._idle_ns
        while self._idle and self._idle[0][0] < stale_ns:
            self._idle.popleft()[1].abort()

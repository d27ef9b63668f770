"""Ask whether a service is ready; a kernel accepts connections for a process that is not."""

import asyncio
from http import HTTPStatus

from harness.environments import postgres
from harness.model.errors import ServiceNotReady

_WITHIN_S = 1.0  # of one question; it is asked again until the service's bound


async def accepts_connections(port: int) -> bool:
    """Say whether somebody listens on the loopback port."""
    try:
        async with asyncio.timeout(_WITHIN_S):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


async def answers_ok(port: int, path: str) -> bool:
    """Say whether `GET path` answers 200.

    Spoken by hand on a fresh connection: an HTTP client library costs more to import than the
    whole wait takes.
    """
    try:
        async with asyncio.timeout(_WITHIN_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
                writer.write(head.encode())
                status_line = await reader.readline()
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError):
        return False
    words = status_line.split()
    return len(words) > 1 and words[1] == str(HTTPStatus.OK.value).encode()


async def accepts_sessions(port: int, database: str) -> bool:
    """Say whether PostgreSQL opens sessions with a database on the loopback port."""
    try:
        session = await postgres.connect(port, database, within_s=_WITHIN_S)
    except (OSError, TimeoutError, ServiceNotReady):
        return False
    session.close()
    return True

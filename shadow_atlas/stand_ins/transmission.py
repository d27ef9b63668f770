"""Put an answer on the connection: at once, slowly, padded, or cut in the middle."""

import asyncio
from collections.abc import Iterator
from typing import Any

from shadow_atlas.clock import Clock
from shadow_atlas.stand_ins.answers import Answer

_TURNS_TO_CLOSE = 3  # connection_lost is scheduled by close, and tells the server one turn later
CHUNK_BYTES = 64 * 1024
TRICKLE_INTERVAL_S = 0.05  # fine enough to look steady to a client that waits for seconds


class Transmission:
    """Send the answer to one request and count what was sent.

    Args:
        send: The server's own `send`, not one wrapped by a middleware.
        clock: Paces a slow body.

    Attributes:
        status: Status of the answer, None until its head is sent.
        sent_bytes: Bytes of its body so far.
        is_complete: Whether the answer was sent, or the connection cut as a script wanted.
    """

    def __init__(self, *, send: Any, clock: Clock) -> None:
        self.status: int | None = None
        self.sent_bytes = 0
        self.is_complete = False
        self._send = send
        self._clock = clock

    async def deliver(self, answer: Answer) -> None:
        """Send the head and as much of the body as the answer wants."""
        await self._begin(answer)
        content = answer.payload.content
        if answer.is_cut:
            content = content[: len(content) // 2]
        if answer.bytes_per_s is None:
            await self._send_fast(content)
        else:
            await self._send_slowly(content, bytes_per_s=answer.bytes_per_s)
        if answer.is_cut:
            await self.cut()
            return
        for size in _sizes(answer.payload.padding_bytes):
            await self._body(b" " * size)
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        self.is_complete = True

    async def cut(self) -> None:
        """Close the connection; what was sent before still arrives, nothing else follows."""
        connection_of(self._send).close()
        self.is_complete = True
        # The server notices on its next turns; an earlier return would make it answer with 500.
        for _ in range(_TURNS_TO_CLOSE):
            await asyncio.sleep(0)

    async def _begin(self, answer: Answer) -> None:
        head = [(b"content-type", answer.payload.content_type.encode())]
        if not answer.payload.padding_bytes:  # an oversized answer does not announce its length
            head.append((b"content-length", str(len(answer.payload.content)).encode()))
        if answer.is_last:
            head.append((b"connection", b"close"))  # the server closes when the answer is out
        if answer.retry_after is not None:
            head.append((b"retry-after", answer.retry_after.encode()))
        self.status = answer.status
        await self._send({"type": "http.response.start", "status": answer.status, "headers": head})

    async def _send_fast(self, content: bytes) -> None:
        for start in range(0, len(content), CHUNK_BYTES):
            await self._body(content[start : start + CHUNK_BYTES])

    async def _send_slowly(self, content: bytes, *, bytes_per_s: float) -> None:
        size = max(1, round(bytes_per_s * TRICKLE_INTERVAL_S))
        for start in range(0, len(content), size):
            if start:
                await self._clock.sleep(size / bytes_per_s)
            await self._body(content[start : start + size])

    async def _body(self, chunk: bytes) -> None:
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        self.sent_bytes += len(chunk)


def connection_of(send: Any) -> asyncio.Transport:
    """Return the connection behind the server's `send`.

    ASGI has no message that cuts a connection. In uvicorn, `send` is a method of the object
    that holds the transport, in each of its protocols.

    Raises:
        TypeError: If the server is another one, or a middleware stands before it.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if not isinstance(transport, asyncio.Transport):
        raise TypeError("the connection can be cut under uvicorn only, without middleware")
    return transport


def _sizes(total: int) -> Iterator[int]:
    """Split a number of bytes into chunks.

    >>> list(_sizes(CHUNK_BYTES + 1))
    [65536, 1]
    """
    for start in range(0, total, CHUNK_BYTES):
        yield min(CHUNK_BYTES, total - start)

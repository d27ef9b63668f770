"""Pass questions for names on to Docker's own server, late. Runs alone, with Python only."""

import asyncio
import sys
from typing import Any

Address = tuple[str, int]
_ANSWER_WITHIN_S = 10.0  # after that long, whoever asked has given up


class SlowResolver(asyncio.DatagramProtocol):
    """Hold each question for a while, ask the server, and pass its answer on unread.

    Args:
        server: Where the questions go.
        local: Address to ask from, which tells its questions from those that come here.
        delay_s: How long each is held, seconds.
    """

    def __init__(self, server: Address, *, local: str, delay_s: float) -> None:
        self._server = server
        self._local = local
        self._delay_s = delay_s
        self._held: set[asyncio.Task[None]] = set()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket for the answers."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Hold a question, beside all others."""
        task = asyncio.ensure_future(self._pass_on(data, addr))
        self._held.add(task)
        task.add_done_callback(self._held.discard)

    async def _pass_on(self, question: bytes, asked_by: Address) -> None:
        await asyncio.sleep(self._delay_s)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Answer(answer), local_addr=(self._local, 0), remote_addr=self._server
        )
        try:
            transport.sendto(question)
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                self._transport.sendto(await answer, asked_by)
        except (OSError, TimeoutError):
            return  # no answer is an answer too: whoever asked waits, and asks again
        finally:
            transport.close()


class _Answer(asyncio.DatagramProtocol):
    def __init__(self, answer: asyncio.Future[bytes]) -> None:
        self._answer = answer

    def datagram_received(self, data: bytes, addr: Address) -> None:  # noqa: ARG002 -- connected
        if not self._answer.done():
            self._answer.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc)


async def serve(listen: Address, server: Address, *, delay_s: float) -> None:
    """Serve until cancelled; say `ready` once questions are taken."""
    await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: SlowResolver(server, local=listen[0], delay_s=delay_s), local_addr=listen
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    host, port, server_host, server_port, delay = sys.argv[1:]
    asyncio.run(serve((host, int(port)), (server_host, int(server_port)), delay_s=float(delay)))

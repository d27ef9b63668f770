"""Passes connections on: from the port ATLAS_PORT to the address in UPSTREAM.

The harness only breaks what it started, so it cannot act on a service that runs already. Two relays
in front of it make a link that it can break: load -> door -> fault proxy -> app -> your service.
"""

import asyncio
import contextlib
import os
import signal
import sys

CHUNK_BYTES = 65536
CONNECT_WITHIN_S = 5.0


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction of a connection to its end, and end the other side with it."""
    with contextlib.suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Connect to the upstream and copy both directions."""
    host, _, port = os.environ["UPSTREAM"].rpartition(":")
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            up_reader, up_writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError):
        writer.close()
        return
    await asyncio.gather(pass_on(reader, up_writer), pass_on(up_reader, writer))


async def demand_upstream() -> None:
    """End with a sentence if nobody listens at the upstream: then there is nothing to test."""
    host, _, port = os.environ["UPSTREAM"].rpartition(":")
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError):
        sys.exit(f"nothing listens on {host}:{port}; start your service first")
    writer.close()


async def main() -> None:
    """Relay until SIGTERM."""
    await demand_upstream()
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    server = await asyncio.start_server(relay, "127.0.0.1", int(os.environ["ATLAS_PORT"]))
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main())

"""Tell the parts of a service that it begins to stop, before the server waits for them.

The server ends its live event views first of all, right after the record that says so. That
record is the earliest sign of a stop which an application can see without owning the process.
"""

import asyncio
import json
from typing import Final

from shadow_atlas.events import EventSink

_FOLLOWS_MAX: Final = 1_000_000  # a view that lags is dropped and opened again, hardly ever


async def watch_for_stop(sink: EventSink, stopping: asyncio.Event) -> None:
    """Set `stopping` when the service records that it stops; returns then, or when cancelled."""
    for _ in range(_FOLLOWS_MAX):
        async for line in sink.follow().lines():
            if _says_stopping(line):
                stopping.set()
                return
        await asyncio.sleep(0)  # a view that ends at once must not starve the loop


async def stops_within(stopping: asyncio.Event, delay_s: float) -> bool:
    """Pause for `delay_s` real seconds, or less if the service begins to stop; say whether it did.

    Args:
        stopping: Set when the service stops.
        delay_s: Length of the pause, seconds.
    """
    try:
        async with asyncio.timeout(delay_s):
            return await stopping.wait()
    except TimeoutError:
        return False


def _says_stopping(line: bytes) -> bool:
    if b'"stopping"' not in line:  # parsing every record would cost more than writing it
        return False
    record = json.loads(line)
    return bool(record.get("kind") == "process" and record.get("what") == "stopping")

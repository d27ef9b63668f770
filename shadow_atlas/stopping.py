"""Tell the parts of a service that it begins to stop, before the server waits for them.

The server ends its live event views first of all, right after the record that says so. That
record is the earliest sign of a stop which an application can see without owning the process.
"""

import asyncio
import json
from typing import Final

from shadow_atlas.events import EventSink

_BRIEF_VIEWS: Final = 2


async def watch_for_stop(sink: EventSink, stopping: asyncio.Event) -> None:
    """Set `stopping` when the service stops; returns then, or when cancelled.

    A view that lags is dropped, perhaps with the very record. It is opened again, and two views
    in a row that end right after their first line say as much: from the stop on, all do.
    """
    brief = 0
    while brief < _BRIEF_VIEWS:
        count = 0
        async for line in sink.follow().lines():
            count += 1
            if _says_stopping(line):
                stopping.set()
                return
        brief = brief + 1 if count == 1 else 0
    stopping.set()


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

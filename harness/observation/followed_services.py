"""Follow all services of a run whose events come as a live stream."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from harness.clock import Clock
from harness.model.system import EventSource, System
from harness.observation.http_events import HttpEvents, following


@asynccontextmanager
async def following_services(
    system: System, addresses: Mapping[str, str], *, clock: Clock
) -> AsyncIterator[Sequence[HttpEvents]]:
    """Follow each running service with `events: http` while the context is open.

    Every stream is there before the body begins, if its service has one at all. After a body
    that ended well, what services said up to its end is awaited; what does not come is a gap.

    Args:
        system: Says which services stream their events.
        addresses: `host:port` of each service that runs.
        clock: Dates what arrives.
    """
    streaming = [
        service.name
        for service in system.services
        if service.events is EventSource.HTTP and service.name in addresses
    ]
    async with AsyncExitStack() as stack:
        streams = [
            await stack.enter_async_context(following(name, addresses[name], clock=clock))
            for name in streaming
        ]
        await asyncio.gather(*(stream.wait_for_first() for stream in streams))
        yield streams
        await asyncio.gather(*(stream.complete() for stream in streams))

"""Let observers run beside the rest of a run."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def beside(*observers: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines while the context is open, and cancel them when it ends.

    Unlike a task group it leaves an error of the body as it is, so that a broken run is told by
    its own error and not by a group around it.

    Raises:
        Exception: The first failure of an observer, if the body ended well.
    """
    tasks = [asyncio.create_task(observer) for observer in observers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end

"""An upstream that answers when it is told to."""

import asyncio

from tests.resilience.virtual_time import ticks


class Upstream:
    """Every call waits for its verdict; `ran` counts how many were let through."""

    def __init__(self) -> None:
        self.ran = 0
        self.pending = []

    async def __call__(self, *_args: object) -> object:
        self.ran += 1
        verdict = asyncio.get_running_loop().create_future()
        self.pending.append(verdict)
        return await verdict

    def succeed(self, count=1):
        for _ in range(count):
            self.pending.pop(0).set_result("ok")

    def fail(self, count=1):
        for _ in range(count):
            self.pending.pop(0).set_exception(ConnectionResetError())


async def ok(*_args: object):
    return "ok"


async def bad(*_args: object):
    raise ConnectionResetError


async def launched(guarded, count=1):
    """Start `count` calls and let them come as far as they get without an answer."""
    tasks = [asyncio.ensure_future(guarded()) for _ in range(count)]
    await ticks()
    return tasks


async def outcome_of(guarded, *args: object):
    """Return what a call returns or raises."""
    try:
        return await guarded(*args)
    except Exception as error:  # noqa: BLE001 - the error is the answer
        return error


async def ended(tasks):
    """Return the results or exceptions of tasks."""
    return await asyncio.gather(*tasks, return_exceptions=True)

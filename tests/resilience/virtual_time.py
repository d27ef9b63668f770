"""A deterministic loop whose clock jumps to the next timer, and clocks to go with it."""

import asyncio
import selectors

START_S = 1000.0  # neither 0 nor anything a wall clock could be mistaken for
WALL_START_S = 1_700_000_000.0


class _Jumping(selectors.SelectSelector):
    """Waits in no time: a wait for a timer moves the clock, a wait for nothing is a deadlock."""

    now_s = START_S

    def select(self, timeout=None):
        if timeout is None:
            raise RuntimeError("deadlock: no task is ready and no timer is set")
        self.now_s += max(0.0, timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self):
        return self._jumping.now_s


class LoopClock:
    """Reads the running loop; the wall clock can be set without moving time."""

    def __init__(self) -> None:
        self.wall_offset_s = 0.0

    def monotonic(self):
        return asyncio.get_running_loop().time()

    def wall(self):
        return WALL_START_S + self.monotonic() + self.wall_offset_s

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


class ManualClock:
    """Stands still until it is moved; for code that never waits."""

    def __init__(self) -> None:
        self.now_s = START_S
        self.wall_offset_s = 0.0

    def monotonic(self):
        return self.now_s

    def wall(self):
        return WALL_START_S + self.now_s + self.wall_offset_s

    async def sleep(self, seconds):
        self.now_s += seconds


def run(main):
    """Run a coroutine to its end in virtual time; an error inside a callback is an error."""
    problems = []
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.get_loop().set_exception_handler(lambda _loop, context: problems.append(context))
        result = runner.run(main)
    assert problems == []
    return result


async def ticks(count=10):
    """Let everything that is ready run, `count` loop iterations long."""
    for _ in range(count):
        await asyncio.sleep(0)

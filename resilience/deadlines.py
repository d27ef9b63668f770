"""Cut work off when its time is over, with one loop timer for all calls of equal allowance.

`asyncio.timeout` arms a timer per call, which costs about as much as 45 bare awaits. All calls of
one operation have the same allowance, so their deadlines come in order of entry: a timer for the
oldest is enough. Cancellation is counted as `asyncio.timeout` counts it (CPython's
`Lib/asyncio/timeouts.py`), so an own timeout and a cancel from outside are never confused.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class DeadlinePassed(Exception):
    """Our own deadline, nobody else's cancel, ended the work."""


class Deadline:
    """One entry of a `DeadlineTimer`; compared by identity.

    Attributes:
        task: Whom to cancel.
        cancelling: How many cancels the task had pending on entry.
        at_s: When, on the loop's clock.
        expired: Whether the deadline has cancelled the task.
    """

    __slots__ = ("at_s", "cancelling", "expired", "task")

    def __init__(self, task: "asyncio.Task[object]", at_s: float) -> None:
        self.task = task
        self.cancelling = task.cancelling()
        self.at_s = at_s
        self.expired = False


class DeadlineTimer:
    """Holds the deadlines of all work in progress that shares one allowance.

    Args:
        allowance_s: Time that each piece of work has, seconds.
    """

    __slots__ = ("_armed_for_s", "_entries", "_loop", "_timer", "allowance_s")

    def __init__(self, allowance_s: float) -> None:
        self.allowance_s = allowance_s
        self._entries: dict[Deadline, None] = {}  # in order of entry, so of deadline
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for_s = 0.0

    def start(self) -> Deadline:
        """Start the time of the running task; `bound` or `stop` has to follow."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # the layer outlives loops in tests and in `asyncio.run` twice
            self._loop, self._timer = loop, None
            self._entries.clear()
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task to cancel; call from within a task")
        deadline = Deadline(task, loop.time() + self.allowance_s)
        self._entries[deadline] = None
        if self._timer is None:
            self._arm(deadline)
        return deadline

    def stop(self, deadline: Deadline) -> bool:
        """End the watch; return whether the deadline alone had cancelled the task."""
        if not deadline.expired:
            self._entries.pop(deadline, None)
            return False
        return deadline.task.uncancel() <= deadline.cancelling

    async def bound(self, deadline: Deadline, work: Awaitable[T]) -> T:
        """Await `work` and stop the watch.

        Raises:
            DeadlinePassed: The time was over first; `work` was cancelled.
        """
        try:
            value = await work
        except asyncio.CancelledError:
            if self.stop(deadline):
                raise DeadlinePassed from None
            raise
        except BaseException:
            self.stop(deadline)
            raise
        self.stop(deadline)
        return value

    def _arm(self, deadline: Deadline) -> None:
        self._armed_for_s = deadline.at_s
        self._timer = deadline.task.get_loop().call_at(deadline.at_s, self._fire)

    def _fire(self) -> None:
        self._timer = None
        # A loop may run a timer early, by up to the resolution of its clock.
        due_s = max(self._armed_for_s, asyncio.get_running_loop().time())
        while self._entries:
            oldest = next(iter(self._entries))
            if oldest.at_s > due_s:
                self._arm(oldest)
                return
            del self._entries[oldest]
            oldest.expired = True
            oldest.task.cancel()

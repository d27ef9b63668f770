"""Wake the event loop at an exact time: asyncio's own timers round up to whole milliseconds.

A timerfd in the loop's selector wakes it within about 0.1 ms on Linux; elsewhere the loop's timer
has to do, and the measured lateness says so.
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from typing import Protocol

from harness.model.records import NS_PER_S

_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1
_TFD_NONBLOCK = os.O_NONBLOCK
_TFD_CLOEXEC = getattr(os, "O_CLOEXEC", 0)


class Alarm(Protocol):
    """Call back once, at or after a time on CLOCK_MONOTONIC."""

    def arm(self, at_ns: int) -> None:
        """Call back at `at_ns`, instead of any time set before; at once if it is past."""
        ...

    def close(self) -> None:
        """Call back no more; closing twice is allowed."""
        ...


def open_alarm(callback: Callable[[], None]) -> Alarm:
    """Return the most exact alarm of this platform, on the running loop."""
    if sys.platform != "linux":
        return LoopAlarm(callback)
    return TimerfdAlarm(callback)


class LoopAlarm:
    """Wake with the loop's own timer, whose resolution is a millisecond."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def arm(self, at_ns: int) -> None:
        """Call back at `at_ns`, instead of any time set before."""
        self.close()
        self._timer = self._loop.call_at(at_ns / NS_PER_S, self._callback)

    def close(self) -> None:
        """Call back no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class TimerfdAlarm:
    """Wake through a timerfd that the loop's selector watches (timerfd_create(2), Linux)."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._fd: int | None = _timerfd_create()
        self._loop.add_reader(self._fd, self._wake)

    def arm(self, at_ns: int) -> None:
        """Call back at `at_ns`, instead of any time set before; at once if it is past."""
        if self._fd is None:
            raise RuntimeError("the alarm is closed")
        _timerfd_settime(self._fd, max(1, at_ns))  # 0 would disarm it

    def close(self) -> None:
        """Call back no more."""
        if self._fd is not None:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = None

    def _wake(self) -> None:
        if self._fd is None:
            return
        try:
            os.read(self._fd, 8)
        except BlockingIOError:  # armed anew between the wake-up and here
            return
        self._callback()


if sys.version_info >= (3, 13):

    def _timerfd_create() -> int:
        return os.timerfd_create(_CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)

    def _timerfd_settime(fd: int, at_ns: int) -> None:
        os.timerfd_settime_ns(fd, flags=os.TFD_TIMER_ABSTIME, initial=at_ns)

else:

    class _Timespec(ctypes.Structure):
        _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))

    class _Itimerspec(ctypes.Structure):
        _fields_ = (("interval", _Timespec), ("value", _Timespec))

    def _timerfd_create() -> int:
        library = ctypes.CDLL(None, use_errno=True)
        return _checked(library.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK | _TFD_CLOEXEC))

    def _timerfd_settime(fd: int, at_ns: int) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        spec = _Itimerspec(_Timespec(0, 0), _Timespec(*divmod(at_ns, NS_PER_S)))
        _checked(library.timerfd_settime(fd, _TFD_TIMER_ABSTIME, ctypes.byref(spec), None))

    def _checked(result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result

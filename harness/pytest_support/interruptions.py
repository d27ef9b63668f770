"""Turn SIGTERM into an orderly end: faults are healed and services stopped before we go."""

import signal
import threading
from types import FrameType
from typing import Any


class Termination:
    """Handle SIGTERM like Ctrl-C while a session runs; a context of the plugin's life.

    A CI system cancels a job with SIGTERM, and Python's default is to die on the spot, with every
    fault in place.
    """

    def __init__(self) -> None:
        self._before: Any = None
        self._is_installed = False

    def install(self) -> None:
        """Install the handler, if this is the main thread, where alone Python allows it."""
        if threading.current_thread() is threading.main_thread() and not self._is_installed:
            self._before = signal.signal(signal.SIGTERM, self._on_sigterm)
            self._is_installed = True

    def remove(self) -> None:
        """Put back what was there before."""
        if self._is_installed:
            signal.signal(signal.SIGTERM, self._before or signal.SIG_DFL)
            self._is_installed = False

    def _on_sigterm(self, number: int, frame: FrameType | None) -> None:
        """Do what Ctrl-C does now; a second SIGTERM must not cut the clean-up short.

        While an event loop runs, asyncio's own handler of SIGINT cancels the main task, so that
        every context manager of the run gets to heal.
        """
        signal.signal(number, signal.SIG_IGN)
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            handler(signal.SIGINT, frame)
            return
        raise KeyboardInterrupt

"""Append the proxy's events to a file of its own, one `write(2)` a line, off the data path."""

import asyncio
import json
import os
from collections import deque
from pathlib import Path

from harness.clock import Clock

JsonScalar = str | int | float | bool | None

SCHEMA = 1
CLOCK_PERIOD_S = 1.0  # readers on another kernel estimate offset and drift from these


class EventLog:
    """Number and date events at once, write them at the end of the loop's turn.

    Args:
        path: The file to append to; None keeps no record at all.
        service: Name of the service, as it stands in each record.
        incarnation: Distinguishes the processes that bore this name one after another.
        clock: Dates the records on the monotonic clock that all processes of a host share.

    Raises:
        OSError: If the file cannot be opened.
    """

    def __init__(self, path: Path | None, *, service: str, incarnation: str, clock: Clock) -> None:
        self.lost_lines = 0
        self._clock = clock
        self._identity = {"service": service, "incarnation": incarnation}
        self._seq = 0
        self._lines: deque[bytes] = deque()
        self._flush_handle: asyncio.Handle | None = None
        self._clock_handle: asyncio.TimerHandle | None = None
        self._descriptor = None if path is None else _open_to_append(path)

    def start(self) -> None:
        """Write the clock record that opens the file, and repeat it every second."""
        if self._descriptor is None:
            return
        self.emit("clock", schema=SCHEMA, wall_unix_ns=self._clock.wall_unix_ns())
        loop = asyncio.get_running_loop()
        self._clock_handle = loop.call_later(CLOCK_PERIOD_S, self.start)

    def emit(self, kind: str, /, *, at_ns: int | None = None, **fields: JsonScalar) -> None:
        """Record one event, dated `at_ns` or now; never raises for a full disk."""
        if self._descriptor is None:
            return
        record = {
            "t_ns": self._clock.now_ns() if at_ns is None else at_ns,
            "seq": self._seq,
            **self._identity,
            "kind": kind,
            **fields,
        }
        self._seq += 1
        self._lines.append(json.dumps(record, separators=(",", ":")).encode() + b"\n")
        if self._flush_handle is None:
            self._flush_handle = asyncio.get_running_loop().call_soon(self._flush)

    def close(self) -> None:
        """Write what is left and close the file."""
        for handle in (self._clock_handle, self._flush_handle):
            if handle is not None:
                handle.cancel()
        self._flush()
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _flush(self) -> None:
        self._flush_handle = None
        while self._lines and self._descriptor is not None:
            line = self._lines.popleft()
            try:
                is_whole = os.write(self._descriptor, line) == len(line)
            except OSError:
                is_whole = False
            self._note_loss(is_whole=is_whole)

    def _note_loss(self, *, is_whole: bool) -> None:
        """Count a lost line, and say so in the record as soon as lines can be written again."""
        if not is_whole:
            self.lost_lines += 1
        elif self.lost_lines:
            lost, self.lost_lines = self.lost_lines, 0
            self.emit("events_lost", lines=lost)


def _open_to_append(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

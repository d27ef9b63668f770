"""Record what a service does: one line per event, in a file and as a live stream.

The file is the authoritative record. Each event is one `write(2)` on an append-only
descriptor, so a process killed in mid-call loses nothing that it had recorded.
"""

import asyncio
import json
import math
import os
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from shadow_atlas.clock import Clock

JsonScalar = str | int | float | bool | None

READER_BUFFER_BYTES = 4 * 1024 * 1024  # per reader: some seconds of a busy service
SCHEMA = 1


class EventReader(Protocol):
    """Iterate over the lines of a live view."""

    def lines(self) -> AsyncIterator[bytes]:
        """Yield encoded records, each with its newline, until the view ends."""
        ...


class EventSink(Protocol):
    """Take the events of a service, and let readers follow them."""

    def emit(self, kind: str, /, **fields: JsonScalar) -> None:
        """Record one event; never raises and never waits for a reader."""
        ...

    def follow(self) -> EventReader:
        """Open a live view; its first line is a fresh clock record."""
        ...


class EventFile:
    """Append lines to one file, one `write(2)` each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, line: bytes) -> None:
        """Append one line.

        Raises:
            OSError: If the disk refuses it, or takes only a part.
        """
        written = os.write(self._descriptor, line)
        if written != len(line):
            raise OSError(f"{self.path}: wrote {written} of {len(line)} bytes of an event")

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)


class LiveView:
    """Buffer lines for one reader; a reader that lags by the whole buffer is dropped."""

    def __init__(self, *, buffer_bytes: int) -> None:
        self._buffer: deque[bytes] = deque()
        self._free_bytes = buffer_bytes
        self._changed = asyncio.Event()
        self.is_open = True

    def put(self, line: bytes) -> None:
        """Add a line without waiting, or end the view when its buffer is full."""
        if not self.is_open:
            return
        self._free_bytes -= len(line)
        if self._free_bytes < 0:
            self._buffer.clear()  # its reader has a gap anyway: give the memory back at once
            self.end()
            return
        self._buffer.append(line)
        self._changed.set()

    def end(self) -> None:
        """Let the reader take what is buffered, and stop."""
        self.is_open = False
        self._changed.set()

    async def lines(self) -> AsyncIterator[bytes]:
        """Yield lines in order; ends after `end` and the last buffered line."""
        try:
            while True:
                while self._buffer:
                    line = self._buffer.popleft()
                    self._free_bytes += len(line)
                    yield line
                if not self.is_open:
                    return
                self._changed.clear()
                await self._changed.wait()
        finally:
            self.is_open = False  # a reader that went away keeps no buffer growing
            self._buffer.clear()


class EventLog:
    """Number, date and encode events, then hand each to the file and to every view.

    Args:
        service: Name of the service, first part of the record's identity.
        incarnation: Distinguishes the processes that bore this name one after another.
        clock: Dates the records on the monotonic clock that all processes of a host share.
        file: The authoritative record; None keeps events live only.
        buffer_bytes: How far a live reader may lag behind before it is dropped.
    """

    def __init__(
        self,
        *,
        service: str,
        incarnation: str,
        clock: Clock,
        file: EventFile | None = None,
        buffer_bytes: int = READER_BUFFER_BYTES,
    ) -> None:
        self.lost_lines = 0
        self._identity = {"service": service, "incarnation": incarnation}
        self._clock = clock
        self._file = file
        self._buffer_bytes = buffer_bytes
        self._views: list[LiveView] = []
        self._seq = 0
        self._is_following = True
        self.emit_clock()

    def emit(self, kind: str, /, **fields: JsonScalar) -> None:
        """Record one event; a full disk costs the line and leaves a gap in `seq`."""
        record = {
            "t_ns": self._clock.monotonic_ns(),
            "seq": self._seq,
            **self._identity,
            "kind": kind,
            **{name: _encodable(value) for name, value in fields.items()},
        }
        self._seq += 1
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        self._append(line)
        for view in self._views:
            view.put(line)
        self._views = [view for view in self._views if view.is_open]

    def emit_clock(self) -> None:
        """Record the pair of clocks, so that a reader can place this one beside its own."""
        self.emit("clock", schema=SCHEMA, wall_unix_ns=int(self._clock.wall() * 1e9))

    def follow(self) -> LiveView:
        """Open a live view; after `end_views` it holds one clock record and ends."""
        view = LiveView(buffer_bytes=self._buffer_bytes)
        self._views.append(view)
        self.emit_clock()
        if not self._is_following:
            self.end_views()
        return view

    def end_views(self) -> None:
        """End every live view, present and future: the service is about to stop."""
        self._is_following = False
        for view in self._views:
            view.end()
        self._views = []

    def close(self) -> None:
        """End the views and close the file; later events are live only."""
        self.end_views()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, line: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line)
        except OSError:
            self.lost_lines += 1  # the gap in `seq` tells readers; the service goes on


def _encodable(value: JsonScalar) -> JsonScalar:
    """Replace what JSON cannot say (NaN, infinity) by null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value

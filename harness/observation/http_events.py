"""Follow the live events of a service over HTTP: the way in for systems whose files we lack.

A stream loses what its process had buffered when it was killed, so gaps are to be expected and
are recorded. The first line of each stream is a clock record that was made for it.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from harness.clock import Clock
from harness.model.records import NS_PER_S, Note, Record
from harness.observation.background import beside
from harness.observation.clock_offset import ClockOffset, ClockReading, estimate_offset
from harness.observation.event_stream import EventStream
from harness.plain_http import plain_client

PATH = "/events"
LINES_MAX = 500_000  # about 100 MB; then the stream is given up, which is a gap
RECONNECT_S = 0.1  # real: what a new process says before we are back is lost
COMPLETE_WITHIN_S = 3.0  # real: a service tells its clock once a second

_SILENCE_S = 60.0  # a service that a fault froze for so long is silent, and says so afterwards
_CONNECT_WITHIN_S = 2.0
_ASK_CLOCK_MAX = 5  # the quickest of them leaves the least uncertainty; our own clock needs one
_POLL_S = 0.02
_LINE_BYTES_MAX = 1 << 16


class HttpEvents:
    """What a service said so far; made by `following`."""

    def __init__(self, service: str, *, clock: Clock) -> None:
        self.service = service
        self._clock = clock
        self._lines: list[bytes] = []
        self._readings: list[ClockReading] = []
        self._cuts: list[tuple[int, str]] = []
        self._newest_clock_ns: int | None = None
        self._missing_end = ""
        self._asked = 0

    def __len__(self) -> int:
        """Return the number of lines that were received."""
        return len(self._lines)

    def lines_from(self, number: int) -> list[bytes]:
        """Return the lines received, from one on; the first is number 0."""
        return self._lines[number:]

    def offset(self) -> ClockOffset | None:
        """Return how the service's clock stands to ours; None before its first clock record."""
        return estimate_offset(self._readings) if self._readings else None

    def records(self, *, t0_ns: int) -> list[Record]:
        """Return all events on our clock, gaps, and notes about the clock and the connection.

        Args:
            t0_ns: CLOCK_MONOTONIC at the start of the run.
        """
        streams: dict[str, EventStream] = {}
        found: list[Record] = []
        for line in self._lines:
            incarnation = _incarnation(line)
            if incarnation not in streams:
                found += _lost_at_end(streams)
                # The first one was there before we were, so what it said before is not missed.
                streams[incarnation] = self._stream(
                    incarnation, t0_ns=t0_ns, expects_start=bool(streams)
                )
            found += streams[incarnation].take(line)
        if self._missing_end:
            stream = [*streams.values()][-1:] or [self._stream("unknown", t0_ns=t0_ns)]
            found += stream[0].unread(self._missing_end)
        return [*found, *self._notes(t0_ns=t0_ns)]

    async def wait_for_first(self) -> None:
        """Wait until the stream is there, for a while; without it the run goes on all the same."""
        for _ in range(round(COMPLETE_WITHIN_S / _POLL_S)):
            if self._lines:
                return
            await self._clock.sleep(_POLL_S)

    async def complete(self) -> None:
        """Wait until all that was said up to now has arrived; what does not come is a gap.

        Lines come in order, so a clock record of a later time is proof that nothing is behind.
        """
        now_ns = self._clock.now_ns()
        for _ in range(round(COMPLETE_WITHIN_S / _POLL_S)):
            offset = self.offset()
            if offset and self._newest_clock_ns is not None:
                surely_ns = self._newest_clock_ns + offset.offset_ns - offset.uncertainty_ns
                if surely_ns >= now_ns:
                    return
            await self._clock.sleep(_POLL_S)
        why = f"; {self._cuts[-1][1]}" if self._cuts else ""
        self._missing_end = f"no clock record came after the end of the run{why}"

    async def follow(self, client: httpx.AsyncClient, url: str) -> None:
        """Read until cancelled, anew whenever the stream ends."""
        while len(self._lines) < LINES_MAX:
            try:
                if await self._read(client, url):
                    continue
                self._cut("the stream ended")
            except httpx.HTTPError as error:
                self._cut(f"{type(error).__name__}: {error}")
            await self._clock.sleep(RECONNECT_S)
        self._cut(f"gave up after {LINES_MAX} lines")

    def _stream(self, incarnation: str, *, t0_ns: int, expects_start: bool = False) -> EventStream:
        offset = self.offset()
        return EventStream(
            service=self.service,
            incarnation=incarnation,
            t0_ns=t0_ns - (offset.offset_ns if offset else 0),
            expects_start=expects_start,
        )

    async def _read(self, client: httpx.AsyncClient, url: str) -> bool:
        """Read one stream to its end; return whether it was only asked for its clock."""
        asked_ns: int | None = self._clock.now_ns()
        async with client.stream("GET", url) as response:
            response.raise_for_status()
            async for line in _lines(response):
                self._read_clock(line, asked_ns=asked_ns)
                if asked_ns is not None and self._is_to_be_asked_again():
                    return True
                asked_ns = None
                self._lines.append(line)
        return False

    def _is_to_be_asked_again(self) -> bool:
        """Say whether another reading would help: of a foreign clock, before anything is kept."""
        self._asked += 1
        is_own = self.offset() == ClockOffset(offset_ns=0, uncertainty_ns=0)
        return not is_own and not self._lines and self._asked < _ASK_CLOCK_MAX

    def _read_clock(self, line: bytes, *, asked_ns: int | None) -> None:
        foreign_ns = _clock_time(line)
        if foreign_ns is None:
            return
        self._newest_clock_ns = foreign_ns
        if asked_ns is not None or self._readings:
            self._readings.append(
                ClockReading(
                    asked_ns=asked_ns, foreign_ns=foreign_ns, received_ns=self._clock.now_ns()
                )
            )

    def _cut(self, detail: str) -> None:
        """Keep why the stream ended, once for all failures to have it back."""
        if not self._cuts or self._cuts[-1][1] != detail:
            self._cuts.append((self._clock.now_ns(), detail))

    def _notes(self, *, t0_ns: int) -> list[Record]:
        notes: list[Record] = [
            Note(t_ns=at_ns - t0_ns, name="events_cut", value={"service": self.service, "why": why})
            for at_ns, why in self._cuts
        ]
        offset = self.offset()
        if offset:
            value = {
                "service": self.service,
                "offset_s": offset.offset_ns / NS_PER_S,
                "uncertainty_s": offset.uncertainty_ns / NS_PER_S,
            }
            notes.append(Note(t_ns=0, name="clock_offset", value=value))
        return notes


@asynccontextmanager
async def following(
    service: str, address: str, *, clock: Clock, path: str = PATH
) -> AsyncIterator[HttpEvents]:
    """Follow the events of a service while the context is open.

    Args:
        service: Name of the service.
        address: Its `host:port`.
        clock: Dates what arrives and paces the attempts to connect again.
        path: Where it streams its events as NDJSON.
    """
    events = HttpEvents(service, clock=clock)
    async with (
        plain_client(timeout=httpx.Timeout(_SILENCE_S, connect=_CONNECT_WITHIN_S)) as client,
        beside(events.follow(client, f"http://{address}{path}")),
    ):
        yield events


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Yield whole lines; what the end of the stream cuts off is no line."""
    rest = b""
    async for chunk in response.aiter_bytes():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > _LINE_BYTES_MAX:
            raise httpx.DecodingError(f"a line is longer than {_LINE_BYTES_MAX} bytes")


def _lost_at_end(streams: Mapping[str, EventStream]) -> list[Record]:
    """Return a gap for the newest incarnation, which has ended: the last it said may be lost."""
    newest = list(streams.values())[-1:]
    return [gap for stream in newest for gap in stream.unread("its process ended while streaming")]


def _values(line: bytes) -> dict[str, object]:
    try:
        values = json.loads(line)
    except ValueError:
        return {}
    return values if isinstance(values, dict) else {}


def _incarnation(line: bytes) -> str:
    return str(_values(line).get("incarnation", "unknown"))


def _clock_time(line: bytes) -> int | None:
    values = _values(line)
    t_ns = values.get("t_ns")
    return t_ns if values.get("kind") == "clock" and isinstance(t_ns, int) else None

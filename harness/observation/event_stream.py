"""Turn the lines that one process wrote about itself into records, and say what is missing; pure.

A line is one JSON object: `t_ns` on CLOCK_MONOTONIC, `seq` from 0 without gaps, `service`,
`incarnation`, `kind` and the fields of the kind. Whose line it is, the stream's name decides.
"""

import json
from collections.abc import Iterable
from typing import Any

from harness.model.event_schema import problem_with
from harness.model.history import from_mapping
from harness.model.records import KINDS, EventGap, Record

_TIMES = ("t_ns", "started_ns", "end_ns")  # the fields that are instants, not lengths

_KINDS = frozenset(KINDS) - {"phase", "operation", "fault", "probe", "alert", "gap", "note"}
"""What a process may say of itself; what the harness and its load saw is theirs to say."""

_DECODER = json.JSONDecoder(parse_constant=lambda _constant: None)  # JSON has no NaN, nor have we


class EventStream:
    """The events of one incarnation of one service, line by line.

    Args:
        service: Name of the service.
        incarnation: Which of its processes wrote the lines.
        t0_ns: CLOCK_MONOTONIC at the start of the run.
        expects_start: Whether the first line must be the process's first; False for a stream
            that was joined late.
    """

    def __init__(
        self, *, service: str, incarnation: str, t0_ns: int, expects_start: bool = True
    ) -> None:
        self._service = service
        self._incarnation = incarnation
        self._t0_ns = t0_ns
        self._expected_seq: int | None = 0 if expects_start else None
        self._last_ns = 0

    def take(self, line: bytes) -> list[Record]:
        """Return what a line says: its record, if its kind is known, after a gap before it."""
        if not line.strip():
            return []
        try:
            values = self._decode(line)
            record = from_mapping(values) if values.get("kind") in _KINDS else None
        except (ValueError, TypeError, KeyError) as error:
            return [self._unreadable(line, error)]
        self._last_ns = values["t_ns"]
        found: list[Record] = list(self._gap_before(values["seq"]))
        return found if record is None else [*found, record]

    def end(self, rest: bytes) -> list[Record]:
        """Return a gap for a last line without its newline: its process died in mid-write."""
        if not rest:
            return []
        return [self._gap(missing=1, detail=f"torn last line of {len(rest)} bytes")]

    def unread(self, detail: str) -> list[Record]:
        """Return a gap for a stream of which nothing at all could be read."""
        return [self._gap(missing=1, detail=detail)]

    def _decode(self, line: bytes) -> dict[str, Any]:
        values = _DECODER.decode(line.decode())
        if not isinstance(values, dict):
            raise TypeError("expected an object")
        for name in ("t_ns", "seq"):
            if not isinstance(values[name], int):
                raise TypeError(f"{name} is no whole number")
        for name in _TIMES:
            if isinstance(values.get(name), int):
                values[name] -= self._t0_ns
        problem = problem_with(values)
        if problem:
            raise ValueError(problem)
        return {**values, "service": self._service, "incarnation": self._incarnation}

    def _gap_before(self, seq: int) -> Iterable[EventGap]:
        expected, self._expected_seq = self._expected_seq, seq + 1
        if expected is None or seq == expected:
            return
        if seq > expected:
            yield self._gap(missing=seq - expected, detail=f"seq went from {expected - 1} to {seq}")
        else:
            yield self._gap(missing=1, detail=f"seq went back from {expected - 1} to {seq}")

    def _unreadable(self, line: bytes, error: Exception) -> EventGap:
        if self._expected_seq is not None:
            self._expected_seq += 1  # it stood for one event, whatever it was to say
        return self._gap(missing=1, detail=f"no event: {line[:80]!r} ({error})")

    def _gap(self, *, missing: int, detail: str) -> EventGap:
        return EventGap(
            t_ns=self._last_ns,
            service=self._service,
            incarnation=self._incarnation,
            missing=missing,
            detail=detail,
        )


def read_events(content: bytes, *, name: str, t0_ns: int) -> list[Record]:
    """Return the records of a whole event file.

    Args:
        content: The file.
        name: Its name without `.ndjson`: `<service>.<incarnation>`.
        t0_ns: CLOCK_MONOTONIC at the start of the run.
    """
    stream = open_stream(name, t0_ns=t0_ns)
    if not content:
        return stream.unread("the file is empty: not even its clock record was written")
    *lines, rest = content.split(b"\n")
    return [record for line in lines for record in stream.take(line)] + stream.end(rest)


def open_stream(name: str, *, t0_ns: int) -> EventStream:
    """Return the stream of an event file called `<service>.<incarnation>`."""
    service, _, incarnation = name.rpartition(".")
    return EventStream(service=service, incarnation=incarnation, t0_ns=t0_ns)

"""Write the history of a run: what the harness saw, and what all others wrote, in one file."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.model.history import SCHEMA_NOTE, SCHEMA_VERSION, from_mapping, to_json
from harness.model.records import EventGap, Note, Record
from harness.observation.event_stream import open_stream, read_events
from harness.observation.http_events import HttpEvents


class Recorder:
    """Keep the records of the harness, at once on disk too, and merge those of all others.

    Until `collect` the file holds the harness's own records in the order in which they came, so
    that a harness that is killed leaves what it knew.

    Args:
        path: The history; overwritten.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._own: list[Record] = []
        path.unlink(missing_ok=True)
        self.record(Note(t_ns=0, name=SCHEMA_NOTE, value=SCHEMA_VERSION))

    @property
    def path(self) -> Path:
        """Return the file of the history."""
        return self._path

    @property
    def records(self) -> tuple[Record, ...]:
        """Return the harness's own records so far, in the order in which they came."""
        return tuple(self._own)

    def record(self, record: Record) -> None:
        """Keep a record and append it to the file; satisfies `harness.model.run.Recorder`."""
        line = to_json(record).encode() + b"\n"
        with self._path.open("ab", buffering=0) as file:
            file.write(line)
        self._own.append(record)

    def collect(
        self,
        event_files: Mapping[str, Path],
        *,
        t0_ns: int,
        load_file: Path | None = None,
        streams: Iterable[HttpEvents] = (),
    ) -> list[Record]:
        """Return the whole history in its order, and make the file say the same.

        Collect after everything has stopped: a line that is being written looks torn.

        Args:
            event_files: Files of services and of the fault proxy, keyed
                `<service>.<incarnation>`; times in them are CLOCK_MONOTONIC.
            t0_ns: CLOCK_MONOTONIC at the start of the run.
            load_file: What the load process wrote; times in it are relative already.
            streams: What services with a live stream said.
        """
        found = list(self._own)
        for name, path in event_files.items():
            found += _read_event_file(name, path, t0_ns=t0_ns)
        for stream in streams:
            found += stream.records(t0_ns=t0_ns)
        if load_file is not None:
            found += _read_load_file(load_file)
        history, lines = in_order(found)
        _replace(self._path, lines)
        return history


def in_order(records: Iterable[Record]) -> tuple[list[Record], list[str]]:
    """Return records by time, equal times by their text, and the lines of all; pure.

    The note of the schema comes first whatever the times are: a reader needs it before all else.
    """
    keyed = [(not _is_header(record), record.t_ns, to_json(record), record) for record in records]
    keyed.sort(key=lambda entry: entry[:3])
    return [entry[3] for entry in keyed], [entry[2] for entry in keyed]


def read_operations(content: bytes) -> list[Record]:
    """Return the records of the load file; a line that cannot be read is a gap; pure."""
    found: list[Record] = []
    last_ns = 0
    for line in filter(None, content.split(b"\n")):
        try:
            record = from_mapping(json.loads(line))
        except (ValueError, TypeError, AttributeError) as error:
            record = _load_gap(last_ns, f"no record: {line[:80]!r} ({error})")
        if record is not None:
            found.append(record)
            last_ns = record.t_ns
    return found


def _is_header(record: Record) -> bool:
    return isinstance(record, Note) and record.name == SCHEMA_NOTE


def _load_gap(t_ns: int, detail: str) -> EventGap:
    return EventGap(t_ns=t_ns, service="load", incarnation="1", missing=1, detail=detail)


def _read_event_file(name: str, path: Path, *, t0_ns: int) -> list[Record]:
    try:
        return read_events(path.read_bytes(), name=name, t0_ns=t0_ns)
    except OSError as error:
        return open_stream(name, t0_ns=t0_ns).unread(
            f"the file could not be read: {error.strerror}"
        )


def _read_load_file(path: Path) -> list[Record]:
    try:
        return read_operations(path.read_bytes())
    except OSError as error:
        return [_load_gap(0, f"the file could not be read: {error.strerror}")]


def _replace(path: Path, lines: Iterable[str]) -> None:
    """Replace the file in one step: whoever reads it finds the old one or the new one whole."""
    written = path.with_name(path.name + ".new")
    with written.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)

"""Follow the event files of services while they are written: for progress and for conditions."""

from collections.abc import Mapping
from pathlib import Path

from harness.model.records import BreakerTransition, Record
from harness.observation.event_stream import EventStream, open_stream

_READ_BYTES_MAX = 1 << 22  # in one step: 4 MiB are parsed in about 50 ms, then the loop goes on


class LiveEvents:
    """Read what is new in event files; the history is collected from the whole files later.

    Args:
        t0_ns: CLOCK_MONOTONIC at the start of the run.
    """

    def __init__(self, *, t0_ns: int) -> None:
        self._t0_ns = t0_ns
        self._files: dict[str, _Followed] = {}
        self._breakers: dict[tuple[str, str], BreakerTransition] = {}

    def poll(self, event_files: Mapping[str, Path]) -> list[Record]:
        """Return the records that were completed since the last call, file by file.

        Args:
            event_files: The files there are now, keyed `<service>.<incarnation>`; the mapping
                may grow between calls.
        """
        found: list[Record] = []
        for name, path in event_files.items():
            if name not in self._files:
                self._files[name] = _Followed(open_stream(name, t0_ns=self._t0_ns))
                self._forget(service=name.rpartition(".")[0])
            found += self._files[name].read(path)
        for record in found:
            if isinstance(record, BreakerTransition):
                self._breakers[record.service, record.name] = record
        return found

    def breaker_states(self) -> dict[tuple[str, str], str]:
        """Return the newest state of each breaker that moved, keyed by service and name.

        A breaker that is not there never moved in the present incarnation: it is closed.
        """
        return {key: record.to_state for key, record in self._breakers.items()}

    def _forget(self, *, service: str) -> None:
        """Drop the breakers of an earlier incarnation: they died with their process."""
        for key in [key for key in self._breakers if key[0] == service]:
            del self._breakers[key]


class _Followed:
    """One file and how far it was read."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream
        self._offset = 0
        self._rest = b""

    def read(self, path: Path) -> list[Record]:
        try:
            with path.open("rb") as file:
                file.seek(self._offset)
                content = file.read(_READ_BYTES_MAX)
        except FileNotFoundError:  # announced, but its process has not come that far
            return []
        self._offset += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        return [record for line in lines for record in self._stream.take(line)]

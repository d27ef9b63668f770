"""Follow the breakers of services while they run, for people who wait; no verdict rests on it."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.observation.http_events import HttpEvents

_READ_BYTES_MAX = 1 << 20  # of a file in one step: searched in a millisecond, and the rest is next
_MARK = b'"breaker"'  # only lines with it are parsed: a transition is one event in a thousand
_SIGN_OF_LIFE = b'"clock"'  # one a second: it tells a new incarnation that has no transition yet


class LiveBreakers:
    """Read what is new in files and streams; the history is collected from all of it later."""

    def __init__(self) -> None:
        self._files: dict[str, _Tail] = {}
        self._states: dict[tuple[str, str], str] = {}
        self._streamed: dict[str, int] = {}
        self._incarnations: dict[str, str] = {}

    def not_closed(
        self, event_files: Mapping[str, Path], streams: Iterable[HttpEvents] = ()
    ) -> tuple[str, ...]:
        """Return the breakers that are not closed now, in words, e.g. `api-server half open`.

        Lines that cannot be read are passed over: whoever judges the history will say so.

        Args:
            event_files: The files there are now, keyed `<service>.<incarnation>`, the incarnations
                of a service in their order; the mapping may grow between calls.
            streams: What services say of themselves over HTTP.
        """
        for name, path in event_files.items():
            service = name.rpartition(".")[0]
            if name not in self._files:
                self._files[name] = _Tail(path)
                self._forget(service)
            for line in self._files[name].new_lines():
                if _MARK in line:
                    self._take(service, line)
        for stream in streams:
            for line in stream.lines_from(self._streamed.get(stream.service, 0)):
                if _MARK in line or _SIGN_OF_LIFE in line:
                    self._take(stream.service, line)
            self._streamed[stream.service] = len(stream)
        moved = ((name, state) for (_, name), state in self._states.items() if state != "closed")
        return tuple(f"{name} {state.replace('_', ' ')}" for name, state in moved)

    def _take(self, service: str, line: bytes) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            return
        if not isinstance(event, dict):
            return
        incarnation = str(event.get("incarnation"))
        if self._incarnations.setdefault(service, incarnation) != incarnation:
            self._incarnations[service] = incarnation
            self._forget(service)
        if event.get("kind") == "breaker":
            self._states[service, str(event.get("name"))] = str(event.get("to_state"))

    def _forget(self, service: str) -> None:
        """Drop the breakers of an earlier incarnation: they died with their process."""
        for key in [key for key in self._states if key[0] == service]:
            del self._states[key]


class _Tail:
    """A file and how far it was read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""

    def new_lines(self) -> list[bytes]:
        """Return the lines that were completed since the last call, up to a bound."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read(_READ_BYTES_MAX)
        except FileNotFoundError:  # announced, but its process has not come that far
            return []
        self._offset += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        return lines

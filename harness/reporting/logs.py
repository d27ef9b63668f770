"""Cut the logs of a run to the time that matters, and to a size that a page can hold."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

READ_MAX_BYTES = 4_000_000  # of the end of each file: a service in trouble may log gigabytes
LINES_MAX = 80  # per service; the run's folder has all
LINE_MAX = 300  # characters
_AROUND_S = 0.5  # before and after the faults: what led there, and what came of it
_WALL_KEYS = ("wall_unix_s", "timestamp", "time", "ts", "@timestamp")
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:[.,]\d+)?) ?(Z|UTC|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCut:
    """The part of a service's logs that matters.

    Args:
        service: The service, or `proxy`.
        text: The lines, with a note on what was left out.
    """

    service: str
    text: str


def log_cuts(folder: Path, start_unix_s: float, end_unix_s: float) -> list[LogCut]:
    """Return one cut per service whose logs say anything.

    Lines that tell their time are cut to the time of the faults; of a file without such lines, or
    without any at that time, the last lines are shown.

    Args:
        folder: Where `<service>.<incarnation>.log` lie.
        start_unix_s: When the first fault came into force.
        end_unix_s: When the last one was healed.
    """
    by_service: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.log")):
        by_service.setdefault(path.name.partition(".")[0], []).append(path)
    window = (start_unix_s - _AROUND_S, end_unix_s + _AROUND_S)
    cuts = [LogCut(service=s, text=_cut(paths, window)) for s, paths in by_service.items()]
    return [cut for cut in cuts if cut.text]


def _cut(paths: Sequence[Path], window: tuple[float, float]) -> str:
    parts = []
    for path in paths:
        lines = _last_lines(path)
        if not lines:
            continue
        inside = list(_inside(lines, window))
        told = "while faults were in force" if inside else "the end; nothing while faults were"
        parts.append(f"== {path.name} ({told})\n" + "\n".join(_bounded(inside or lines[-20:])))
    return "\n".join(parts)


def _last_lines(path: Path) -> list[str]:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - READ_MAX_BYTES))
        lines = file.read(READ_MAX_BYTES).decode("utf-8", "replace").splitlines()
    return lines[1:] if size > READ_MAX_BYTES else lines  # the first one is cut in two


def _inside(lines: Sequence[str], window: tuple[float, float]) -> Iterator[str]:
    """Yield the lines of the window; those without a time belong to the line before them."""
    is_inside = False
    for line in lines:
        at_s = unix_s_of(line)
        if at_s is not None:
            is_inside = window[0] <= at_s <= window[1]
        if is_inside:
            yield line


def _bounded(lines: Sequence[str]) -> list[str]:
    shown = [line if len(line) <= LINE_MAX else f"{line[:LINE_MAX]} ..." for line in lines]
    if len(shown) <= LINES_MAX:
        return shown
    half = LINES_MAX // 2
    note = f"... {len(shown) - 2 * half} lines left out; the run's folder has them all ..."
    return [*shown[:half], note, *shown[-half:]]


def unix_s_of(line: str) -> float | None:
    """Return the wall-clock time that a log line tells; None if it tells none.

    Times without a zone are taken as UTC.

    >>> unix_s_of("1970-01-01 00:00:02.500 UTC [7] LOG:  ready")
    2.5
    >>> unix_s_of('{"event": "ready", "wall_unix_s": 3.25}')
    3.25
    >>> unix_s_of("Traceback (most recent call last):") is None
    True
    """
    if line.startswith("{"):
        return _time_of_json(line)
    found = _ISO.search(line[:80])  # a time further on is what the line is about
    return _unix_s(found) if found else None


def _time_of_json(line: str) -> float | None:
    try:
        values = json.loads(line)
    except ValueError:
        return None
    for key in _WALL_KEYS:
        value = values.get(key)
        if isinstance(value, int | float):
            return float(value)
        if isinstance(value, str) and (found := _ISO.search(value)):
            return _unix_s(found)
    return None


def _unix_s(found: re.Match[str]) -> float | None:
    day, clock, zone = found.groups()
    zone = "+00:00" if zone in (None, "Z", "UTC") else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{clock.replace(',', '.')}{zone}")
    except ValueError:
        return None
    return moment.astimezone(UTC).timestamp()

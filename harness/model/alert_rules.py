"""Render a template of Prometheus rules at a time scale.

One template serves production (time scale 1) and runs, so a run tests the alerts that are in
force. Three placeholders tell what scales; anything else is copied.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

_PLACEHOLDER: Final = re.compile(r"\$\{([^:}]*):?([^}]*)\}")
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_ALERT: Final = re.compile(r"^\s*-?\s*alert:\s*[\"']?(\w+)", re.MULTILINE)
_UNITS_MS: Final[Mapping[str, int]] = {
    "y": 31_536_000_000,  # 365 days, as Prometheus counts
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}


def render_rules(template: str, time_scale: float) -> str:
    """Return the rules with every placeholder replaced.

    `${duration:5m}` becomes a duration and `${seconds:300}` a number, both multiplied by
    `time_scale`; `${per_second:10}` becomes a number divided by it. At time scale 1 every value
    stands as it was written.

    Args:
        template: Text of the template.
        time_scale: Factor on durations, in (0, 1].

    Raises:
        ValueError: If a placeholder is not one of these, naming its line; or the scale is not
            positive.

    >>> render_rules("rate(x[${duration:5m}]) > ${per_second:10}", 0.1)
    'rate(x[30s]) > 100'
    """
    if not time_scale > 0.0:
        raise ValueError(f"time_scale={time_scale!r} must be positive")

    lines = template.split("\n")
    return "\n".join(_rendered(line, number, time_scale) for number, line in enumerate(lines, 1))


def alert_names(template: str) -> tuple[str, ...]:
    """Return the names of the alerts that a template (or a file of rules) defines, in order.

    >>> alert_names("- {alert: TooSlow, expr: up == 0}"), alert_names("- alert: Gone")
    ((), ('Gone',))
    """
    return tuple(dict.fromkeys(_ALERT.findall(template)))


def _rendered(line: str, number: int, time_scale: float) -> str:
    """Return a line with its placeholders replaced; a comment may explain them, so it stays."""
    if line.lstrip().startswith("#"):
        return line

    def value_of(match: re.Match[str]) -> str:
        kind, value = match[1], match[2]
        try:
            return _RENDERED[kind](value, time_scale)
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"line {number}: expected ${{duration:5m}}, ${{seconds:300}} or "
                f"${{per_second:10}}, got {match[0]}"
            ) from error

    return _PLACEHOLDER.sub(value_of, line)


def _duration(text: str, time_scale: float) -> str:
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(text)
    total_ms = sum(int(number) * _UNITS_MS[unit] for number, unit in parts)
    return text if time_scale == 1.0 else _written(max(1, round(total_ms * time_scale)))


def _written(total_ms: int) -> str:
    """Return milliseconds as Prometheus writes durations, e.g. `1m30s`."""
    words = []
    for unit, size_ms in _UNITS_MS.items():
        count, total_ms = divmod(total_ms, size_ms)
        if count:
            words.append(f"{count}{unit}")
    return "".join(words)


def _seconds(text: str, time_scale: float) -> str:
    seconds = float(text)
    return text if time_scale == 1.0 else f"{seconds * time_scale:.6g}"


def _per_second(text: str, time_scale: float) -> str:
    per_second = float(text)
    return text if time_scale == 1.0 else f"{per_second / time_scale:.6g}"


_RENDERED: Final[Mapping[str, Callable[[str, float], str]]] = {
    "duration": _duration,
    "seconds": _seconds,
    "per_second": _per_second,
}

"""Flatten a JSON answer into the values of a probe; pure."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

VALUES_MAX = 256  # a health answer has some dozens; more is a document, not a probe
DEPTH_MAX = 8
TEXT_MAX = 200  # characters


def flatten(document: Any) -> dict[str, Any]:
    """Return the numbers, texts, truth values and nulls of a document, by dotted path.

    Items of lists are numbered. What exceeds a bound is left out or cut; NaN and infinity, which
    JSON does not know, become texts.

    >>> flatten({"tasks": {"open": 3, "states": ["WI"]}, "healthy": True})
    {'tasks.open': 3, 'tasks.states.0': 'WI', 'healthy': True}
    """
    found: dict[str, Any] = {}
    _collect(document, "", found, depth=0)
    return found


def _collect(part: Any, path: str, found: dict[str, Any], *, depth: int) -> None:
    if isinstance(part, Mapping | list):
        if depth < DEPTH_MAX:
            for name, value in _children(part):
                _collect(value, f"{path}.{name}" if path else name, found, depth=depth + 1)
    elif len(found) < VALUES_MAX:
        found.setdefault(path, _scalar(part))


def _children(part: Mapping[str, Any] | list[Any]) -> Iterable[tuple[str, Any]]:
    if isinstance(part, Mapping):
        return part.items()
    return ((str(index), value) for index, value in enumerate(part))


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value[:TEXT_MAX] if isinstance(value, str) else value

"""Hold the fields of a fault to their own descriptors, wherever the fault was built."""

import math
from typing import Any

from harness.model.fields import Field, Kind, fields_of

_NUMERIC = (Kind.DURATION, Kind.RATE, Kind.RATIO, Kind.SIZE, Kind.COUNT, Kind.NUMBER)
_SECONDS = {Kind.DURATION: " s", Kind.RATE: " per s"}


def require_described_values(described: Any) -> None:
    """Refuse values that the descriptors of a fault's fields do not allow.

    The bounds of what `--time-scale` changes are about files, where times are written at full
    length: a scaled value only has to keep its sign.

    Raises:
        ValueError: Naming the key first, as in `delay: 0 s must be above 0 s`.
    """
    for item in fields_of(type(described)):
        value = getattr(described, item.attribute)
        if value is None:
            continue
        if item.kind in _NUMERIC:
            _require_range(item, value)
        elif item.kind is Kind.COUNTS:
            for member in value:
                _require_range(item, member)
        elif item.kind is Kind.CHOICE and value not in item.choices:
            raise ValueError(f"{item.key}: {value!r} must be one of {', '.join(item.choices)}")


def _require_range(item: Field, value: float) -> None:
    unit = _SECONDS.get(item.kind, "")
    if not math.isfinite(value):
        raise ValueError(f"{item.key}: {value:g}{unit} must be finite")
    if item.is_scaled:
        _require_sign(item, value, unit)
        return
    if item.minimum is not None and value < item.minimum:
        raise ValueError(f"{item.key}: {value:g}{unit} must be at least {item.minimum:g}{unit}")
    if item.maximum is not None and value > item.maximum:
        raise ValueError(f"{item.key}: {value:g}{unit} must be at most {item.maximum:g}{unit}")


def _require_sign(item: Field, value: float, unit: str) -> None:
    if item.minimum is None or item.minimum < 0:
        return
    if item.minimum > 0 and value <= 0:
        raise ValueError(f"{item.key}: {value:g}{unit} must be above 0{unit}")
    if value < 0:
        raise ValueError(f"{item.key}: {value:g}{unit} must not be negative")

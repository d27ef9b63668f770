"""Turn the quantities of toxics into whole API units and back; the only place where they meet."""

import math
from collections.abc import Mapping

Attributes = Mapping[str, int]
"""Attributes of a toxic as its API knows them: whole numbers in the API's units."""

UNITS_MAX = 2**63 - 1  # the API's integers are 64 bits wide
NS_PER_MS = 1_000_000
NS_PER_US = 1_000


def whole_units(quantity: float, *, per_one: float, name: str) -> int:
    """Return `quantity` in whole API units of which `per_one` make one of ours.

    Args:
        quantity: The quantity in the unit that `name` ends with, e.g. seconds.
        per_one: API units in one of ours, e.g. 1000 (milliseconds) for seconds.
        name: Field that the quantity comes from, for the message.

    Raises:
        ValueError: If it is negative, not finite, too large for the API's integers, or so small
            that rounding would make it zero, which every toxic takes as something else.

    >>> whole_units(0.25, per_one=1000, name="delay_s")
    250
    """
    if not (math.isfinite(quantity) and quantity >= 0):
        raise ValueError(f"{name}={quantity!r} must be a finite number, at least 0")
    units = round(quantity * per_one)
    if units == 0 and quantity > 0:
        raise ValueError(f"{name}={quantity!r} would round to 0, which means something else")
    if units > UNITS_MAX + 1:  # what the largest integer becomes on its way through a float
        raise ValueError(f"{name}={quantity!r} must be at most {UNITS_MAX / per_one!r}")
    return min(units, UNITS_MAX)


def whole_bytes(size_bytes: int, *, name: str) -> int:
    """Return `size_bytes`, checked to be a whole number that the API can carry.

    Raises:
        ValueError: If it is negative, not an `int`, or too large.
    """
    if isinstance(size_bytes, bool) or not isinstance(size_bytes, int):
        raise ValueError(f"{name}={size_bytes!r} must be a whole number of bytes")  # noqa: TRY004
    if not 0 <= size_bytes <= UNITS_MAX:
        raise ValueError(f"{name}={size_bytes!r} must be in [0, {UNITS_MAX}]")
    return size_bytes

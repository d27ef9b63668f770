"""Draw the values of a figure in one row of blocks."""

from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
_NOTHING = "·"


def sparkline(values: Sequence[float | None], *, top: float | None = None) -> str:
    """Return a block for each value and a dot where there is none.

    Blocks stand on zero, not on the smallest value: a change of one percent shall look like one.

    Args:
        values: From the oldest to the newest; negative ones count as zero.
        top: The value of a full block; the largest one if not given.

    >>> sparkline([1.0, 2.0, None, 8.0]), sparkline([0.5, 1.0], top=1.0), sparkline([0.0])
    ('▁▂·█', '▄█', '▁')
    """
    known = [value for value in values if value is not None]
    highest = top if top is not None else max(known, default=0.0)
    return "".join(_block(value, highest) for value in values)


def _block(value: float | None, highest: float) -> str:
    if value is None:
        return _NOTHING
    share = value / highest if highest > 0.0 else 0.0
    return _BLOCKS[min(max(round(share * len(_BLOCKS)) - 1, 0), len(_BLOCKS) - 1)]

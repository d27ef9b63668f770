"""The operations of a run as cells of a lattice: as many as a picture can show."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from harness.model.records import NS_PER_S, Operation, Outcome, Source
from harness.reporting.axes import latency_range

# The plot of the figure in pixels: a finer lattice would not be seen.
COLUMNS, ROWS = 822, 300


class Group(StrEnum):
    """How an operation is drawn; the members stand in drawing order, the worst on top."""

    OK = "ok"
    OK_RETRIED = "ok after retry"
    OK_FALLBACK = "ok from a fallback"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    FAILED = "failed"


_GROUPS: Mapping[str, Group] = {
    Outcome.OK: Group.OK,
    Outcome.FAILED: Group.FAILED,
    Outcome.REJECTED: Group.REJECTED,
    Outcome.UNKNOWN: Group.UNKNOWN,
}


class Column(NamedTuple):
    """Cells of one group that touch, one below the other; a tuple, as there are thousands.

    Attributes:
        x: Column, from the start of the run.
        y: Row of the topmost cell, from the top.
        height: Number of cells.
    """

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """Where operations lie in time and latency, by group.

    Args:
        low_s: Latency at the bottom, seconds.
        high_s: Latency at the top, seconds.
        counts: Number of operations per group.
        columns: Their cells; groups without an operation are left out.
    """

    low_s: float = 0.001
    high_s: float = 0.1
    counts: Mapping[Group, int] = field(default_factory=dict)
    columns: Mapping[Group, tuple[Column, ...]] = field(default_factory=dict)


def group_of(operation: Operation, retried: Collection[str]) -> Group:
    """Return how an operation is drawn; `retried` holds the ids of calls with a second attempt."""
    group = _GROUPS[operation.outcome]
    if group is not Group.OK:
        return group
    if operation.source not in (None, Source.PRIMARY):
        return Group.OK_FALLBACK
    return Group.OK_RETRIED if operation.call_id in retried else Group.OK


def cloud_of(
    operations: Sequence[Operation],
    *,
    retried: Collection[str],
    end_s: float,
    limit_s: float | None,
) -> Cloud:
    """Return the cells of all operations; those without an answer stand on the top edge.

    Args:
        operations: In any order.
        retried: Ids of calls that had a second attempt.
        end_s: End of the time axis, seconds.
        limit_s: A latency that has to lie within the range too.
    """
    latencies = [operation.latency_s for operation in operations]
    low_s, high_s = latency_range([*latencies, *([] if limit_s is None else [limit_s])])
    per_ns = COLUMNS / (end_s * NS_PER_S)
    top, per_row = math.log(high_s), ROWS / math.log(high_s / low_s)
    cells: dict[Group, set[tuple[int, int]]] = {}
    counts: dict[Group, int] = {}
    for operation, latency_s in zip(operations, latencies, strict=True):
        group = group_of(operation, retried)
        row = round((top - math.log(max(latency_s, low_s))) * per_row)
        x = min(max(round(operation.t_ns * per_ns), 0), COLUMNS)
        y = 0 if group is Group.UNKNOWN else min(max(row, 0), ROWS)
        cells.setdefault(group, set()).add((x, y))
        counts[group] = counts.get(group, 0) + 1
    return Cloud(
        low_s=low_s,
        high_s=high_s,
        counts={group: counts[group] for group in Group if group in counts},
        columns={group: merged(cells[group]) for group in Group if group in cells},
    )


def merged(cells: Iterable[tuple[int, int]]) -> tuple[Column, ...]:
    """Return cells as columns, sorted: neighbours below each other are one.

    >>> merged([(3, 7), (3, 8), (3, 6), (4, 1)])
    (Column(x=3, y=6, height=3), Column(x=4, y=1, height=1))
    """
    found: list[list[int]] = []
    for x, y in sorted(set(cells)):
        if found and found[-1][0] == x and found[-1][1] + found[-1][2] == y:
            found[-1][2] += 1
        else:
            found.append([x, y, 1])
    return tuple(Column(x=x, y=y, height=height) for x, y, height in found)


def coarser(columns: Iterable[Column], grid: int) -> tuple[Column, ...]:
    """Return the same cells on a lattice that is `grid` times as wide, in its own units."""
    cells = {
        (column.x // grid, y)
        for column in columns
        for y in range(column.y // grid, (column.y + column.height - 1) // grid + 1)
    }
    return merged(cells)

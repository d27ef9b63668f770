"""Say how late the load process itself was: its own error, never the system's."""

import math
from array import array
from dataclasses import asdict, dataclass
from typing import Any

from harness.model.records import NS_PER_S, Note

LATE_S = 0.05  # ten scheduler slices: more is no jitter but a process that did not get to run

NOTE_NAME = "load"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadNote:
    """What the load process says of itself when it ends; the value of the note `load`.

    Args:
        planned: Arrivals of the plan.
        offered: Operations dispatched; fewer than planned if the load was stopped.
        ended: Operations whose outcome is in the history.
        late: Operations dispatched more than `late_bound_s` after their intended start.
        late_bound_s: That bound.
        lateness_p50_s: Median of dispatch minus intended start.
        lateness_p99_s: 99th percentile of it.
        lateness_max_s: Largest value of it.
    """

    planned: int
    offered: int
    ended: int
    late: int
    late_bound_s: float = LATE_S
    lateness_p50_s: float = 0.0
    lateness_p99_s: float = 0.0
    lateness_max_s: float = 0.0

    def to_note(self, t_ns: int) -> Note:
        """Return the record that closes the file of operations."""
        values: dict[str, Any] = asdict(self)
        return Note(t_ns=t_ns, name=NOTE_NAME, value=values)


class Lateness:
    """Collect how late each dispatch was; eight bytes for each."""

    def __init__(self) -> None:
        self._late_ns = array("q")

    def add(self, *, intended_ns: int, started_ns: int) -> None:
        """Take one dispatch."""
        self._late_ns.append(started_ns - intended_ns)

    def note(self, *, planned: int, offered: int) -> LoadNote:
        """Return the figures of all dispatches that ended."""
        ordered = sorted(self._late_ns)
        return LoadNote(
            planned=planned,
            offered=offered,
            ended=len(ordered),
            late=sum(late_ns > LATE_S * NS_PER_S for late_ns in ordered),
            lateness_p50_s=_quantile_s(ordered, 0.50),
            lateness_p99_s=_quantile_s(ordered, 0.99),
            lateness_max_s=_quantile_s(ordered, 1.0),
        )


def _quantile_s(ordered_ns: list[int], share: float) -> float:
    """Return the smallest value that at least this share does not exceed; 0 of nothing."""
    if not ordered_ns:
        return 0.0
    return ordered_ns[max(0, math.ceil(share * len(ordered_ns)) - 1)] / NS_PER_S

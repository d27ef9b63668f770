"""Draw a run in 72 columns of text, for terminals and plain logs."""

import math
from collections.abc import Sequence

from harness.reporting.breaker_lanes import shortened
from harness.reporting.quantities import count, seconds
from harness.reporting.series import Bin
from harness.reporting.timeline import FaultSpan, Timeline

WIDTH = 72
_GUTTER = 12
PLOT = WIDTH - _GUTTER
_BLOCKS = " ▁▂▃▄▅▆▇█"
_STATES = {"closed": "─", "open": "█", "half_open": "▒", "gone": "x"}


def draw_text(timeline: Timeline) -> str:
    """Return the picture as lines of at most 72 columns, without a final newline.

    A column stands for `end_s / 60`; what happens in less may vanish, so worst wins in each.
    """
    lines = [_row("", _phases(timeline))]
    lines += [_row("fault", _fault(timeline, fault)) for fault in timeline.faults]
    lines.append(_row("p99 (log)", _p99(timeline)))
    lines.append(_row("failed", _share(timeline, ("failed", "unknown"))))
    lines.append(_row("rejected", _share(timeline, ("rejected",))))
    for lane in timeline.lanes:
        spans = [(s.start_s, s.end_s, _STATES.get(s.state, "?")) for s in lane.segments]
        lines.append(_row(lane.label, _marked(timeline, spans)))
    lines.append(_row("", _axis(timeline)))
    if timeline.recovery is not None:
        lines.append(_row("", timeline.recovery.label))
    if timeline.lanes_left_out:
        lines.append(_row("", f"{count(timeline.lanes_left_out, 'more breaker')}, not shown"))
    if timeline.lanes:
        lines.append(_row("", "─ closed  █ open  ▒ half-open  x process gone"))
    return "\n".join(lines)


def _row(label: str, body: str) -> str:
    short = shortened(label, _GUTTER - 1)
    return f"{short:<{_GUTTER}}{body[:PLOT]}".rstrip()


def _column(timeline: Timeline, t_s: float) -> int:
    return min(max(int(t_s / timeline.end_s * PLOT + 1e-9), 0), PLOT - 1)


def _marked(timeline: Timeline, spans: Sequence[tuple[float, float, str]]) -> str:
    row = [" "] * PLOT
    for start_s, end_s, mark in spans:
        first = _column(timeline, start_s)
        last = max(first, math.ceil(end_s / timeline.end_s * PLOT - 1e-9) - 1)
        for column in range(first, min(last, PLOT - 1) + 1):
            row[column] = mark
    return "".join(row)


def _fault(timeline: Timeline, fault: FaultSpan) -> str:
    """Return a fault's bar with its name inside, or else on the side that has room."""
    bar = _marked(timeline, [(fault.start_s, fault.end_s, "▓")]).rstrip()
    start = len(bar) - len(bar.lstrip())
    length = len(bar) - start
    if len(fault.label) + 2 <= length:
        return " " * start + f"{fault.label:▓^{length}}"
    if len(bar) + len(fault.label) < PLOT:
        return f"{bar} {fault.label}"
    return f"{bar[: max(start - len(fault.label) - 1, 0)]}{fault.label} {bar.lstrip()}"


def _phases(timeline: Timeline) -> str:
    row = [" "] * PLOT
    for span in timeline.phases:
        first, last = _column(timeline, span.start_s), _column(timeline, span.end_s)
        label = f"|{span.name}"[: max(last - first, 1)]
        row[first : first + len(label)] = label
    return "".join(row)


def _axis(timeline: Timeline) -> str:
    row = [" "] * (PLOT + 8)
    for quarter in range(5):
        t_s = timeline.end_s * quarter / 4
        label = seconds(t_s) if quarter else "0"
        column = min(round(PLOT * quarter / 4), PLOT - len(label))
        row[column : column + len(label)] = label
    return "".join(row)


def _bins_by_column(timeline: Timeline) -> list[list[Bin]]:
    columns: list[list[Bin]] = [[] for _ in range(PLOT)]
    for item in timeline.bins:
        last = math.ceil(item.end_s / timeline.end_s * PLOT - 1e-9)
        for column in range(_column(timeline, item.start_s), min(last, PLOT)):
            columns[column].append(item)
    return columns


def _p99(timeline: Timeline) -> str:
    known = [item.p99_s for item in timeline.bins if item.p99_s]
    if not known:
        return ""
    low, high = math.log(min(known)), math.log(max(known))
    row = ""
    for items in _bins_by_column(timeline):
        worst = max((item.p99_s for item in items if item.p99_s), default=None)
        if worst is None:
            row += " "
            continue
        share = (math.log(worst) - low) / (high - low) if high > low else 0.5
        row += _BLOCKS[1 + round(share * 7)]
    return row


def _share(timeline: Timeline, names: Sequence[str]) -> str:
    row = ""
    for items in _bins_by_column(timeline):
        total = sum(item.total for item in items)
        bad = sum(getattr(item, name) for item in items for name in names)
        row += _BLOCKS[math.ceil(bad / total * 8)] if total else " "
    return row

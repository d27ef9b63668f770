"""The bands of the timeline figure: each turns values into SVG and knows nothing of the others."""

from collections.abc import Iterable

from harness.reporting import svg
from harness.reporting.axes import LatencyAxis, TimeAxis
from harness.reporting.breaker_lanes import Lane, condensed, shortened
from harness.reporting.cloud import Cloud, Column, Group, coarser
from harness.reporting.palette import (
    BAD,
    DARK,
    EFFECT,
    FAINT,
    FAULT_ROW,
    FAULT_SHADE,
    GOOD,
    GROUPS,
    INK,
    P50,
    P99,
    PAPER,
    PHASES,
    QUIET,
    STATES,
    ink_on,
)
from harness.reporting.quantities import MS_PER_S, seconds
from harness.reporting.series import Bin
from harness.reporting.timeline import FaultSpan, Recovery, Span, Timeline

_CHAR_PX = 6.6  # mean width of a character at 12 px; only decides whether a label fits
_LANE_LABEL_MAX = 15  # characters; what fits left of the plot
_WORD_PX = 48  # narrower lane segments show their colour only
_AT_ONCE_S = 0.02  # two pixels of the shortest run; below, an order of events is all we know
_GRID_MAX = 32  # pixels; so coarse a lattice fits into any budget
_STROKE_MIN = 6  # characters of a stroke at least, to know without drawing what cannot fit
_SPARSE = 4_000  # operations; below it each may be as strong as its neighbours
# State: top and height in its lane of 17 px. How tall a box is tells the state without its colour.
_BOXES = {"closed": (6, 5), "half_open": (3, 11), "open": (0, 17), "gone": (7, 3)}


def fits(label: str, width: float) -> bool:
    """Say whether a label fits into a width at 12 px."""
    return len(label) * _CHAR_PX + 6 <= width


def legend(timeline: Timeline, x: float, y: float) -> list[str]:
    """Return the legend: outcomes with their counts, then the quantiles."""
    parts = []
    for group, number in timeline.cloud.counts.items():
        label = f"{group} {number:,}".replace(",", "\u2009")
        parts.append(svg.element("circle", cx=x + 4, cy=y - 4, r=4, fill=GROUPS[group]))
        parts.append(svg.text(x + 12, y, label, fill=INK))
        x += 30 + len(label) * _CHAR_PX
    for name, colour in (("p50", P50), ("p99", P99)):
        label = f"{name} per {timeline.bin_s:g} s"
        parts.append(svg.line((x, y - 4), (x + 18, y - 4), stroke=colour, stroke_width=2.2))
        parts.append(svg.text(x + 24, y, label, fill=INK))
        x += 44 + len(label) * _CHAR_PX
    return parts


def ribbon(spans: Iterable[Span], axis: TimeAxis, y: float) -> list[str]:
    """Return the phase ribbon: one box per phase with its name and length."""
    parts = []
    for span in spans:
        x, end = axis.x(span.start_s), axis.x(span.end_s)
        colour = PHASES.get(span.name, "#eee")
        parts.append(svg.rect(x, y, end - x - 1, 20, fill=colour, rx="2"))
        label = next((t for t in (span.label, span.name) if fits(t, end - x)), "")
        if label:
            middle = (x + end) / 2
            parts.append(svg.text(middle, y + 14, label, fill=INK, text_anchor="middle"))
    return parts


def fault_rows(faults: Iterable[FaultSpan], axis: TimeAxis, y: float, step: float) -> list[str]:
    """Return one row per fault: its stretch, its name and where an effect was first seen."""
    parts = []
    for fault in faults:
        x, end = axis.x(fault.start_s), axis.x(fault.end_s)
        parts.append(svg.rect(x, y, max(end - x, 2), step - 4, fill=FAULT_ROW, rx="2"))
        if fault.effect_s is not None:
            seen = axis.x(fault.effect_s)
            parts.append(svg.rect(seen, y - 1, 2, step - 2, fill=EFFECT))
        parts.append(_fault_label(fault, x, end, y + step - 7, axis))
        y += step
    return parts


def _fault_label(fault: FaultSpan, x: float, end: float, y: float, axis: TimeAxis) -> str:
    label = fault.label
    if fault.effect_s is not None:
        after_s = fault.effect_s - fault.start_s
        when = f"after {seconds(after_s)}" if after_s >= _AT_ONCE_S else "at once"
        seen = f"{label}, effect seen {when}"
        label = seen if fits(seen, max(end - x, axis.right - end)) else label
    if fits(label, end - x):
        middle = (x + end) / 2
        return svg.text(middle, y, label, fill=PAPER, text_anchor="middle", font_weight="600")
    if fits(label, axis.right - end):
        return svg.text(end + 6, y, label, fill=BAD)
    return svg.text(x - 6, y, label, fill=BAD, text_anchor="end")


def shades(faults: Iterable[FaultSpan], axis: TimeAxis, top: float, bottom: float) -> list[str]:
    """Return the background of all bands: when a fault was in force."""
    return [
        svg.rect(
            axis.x(fault.start_s),
            top,
            max(axis.x(fault.end_s) - axis.x(fault.start_s), 1),
            bottom - top,
            fill=FAULT_SHADE,
        )
        for fault in faults
    ]


def latency_grid(latency: LatencyAxis, axis: TimeAxis) -> list[str]:
    """Return the horizontal lines of the latency band with their milliseconds."""
    parts = []
    for tick_s in latency.ticks():
        y = latency.y(tick_s)
        label = f"{tick_s * MS_PER_S:g}"
        parts.append(svg.line((axis.left, y), (axis.right, y), stroke=FAINT))
        parts.append(svg.text(axis.left - 8, y + 4, label, fill=INK, text_anchor="end"))
    return parts


def scatter(cloud: Cloud, left: float, top: float, size_max: int) -> list[str]:
    """Return the operations, one path per group, the worst drawn last.

    Args:
        cloud: The operations.
        left: Left edge of the plot.
        top: Its upper edge; operations without an answer stand there.
        size_max: Most characters that the paths may have; the lattice gets coarser until they fit.
    """
    grid, columns, total = 1, dict(cloud.columns), sum(cloud.counts.values())
    while True:
        if sum(map(len, columns.values())) * _STROKE_MIN <= size_max or grid == _GRID_MAX:
            place = (left, top, grid)
            found = [_dots(group, each, place, total) for group, each in columns.items()]
            if sum(map(len, found)) <= size_max or grid == _GRID_MAX:
                return found
        grid *= 2
        columns = {group: coarser(each, 2) for group, each in columns.items()}


def _dots(
    group: Group, columns: Iterable[Column], place: tuple[float, float, int], total: int
) -> str:
    left, top, grid = place
    is_bad = group in (Group.FAILED, Group.UNKNOWN)
    opacity = "0.6" if is_bad or total < _SPARSE else "0.4"
    size = max(3.6 if is_bad else 2.6, 1.1 * grid)
    strokes = [
        (round(left + (c.x + 0.5) * grid - 0.5), round(top + c.y * grid), (c.height - 1) * grid)
        for c in columns
    ]
    style = {"stroke": GROUPS[group], "stroke_width": svg.number(size), "stroke_opacity": opacity}
    return svg.strokes(strokes, **style)


def quantile_lines(bins: tuple[Bin, ...], latency: LatencyAxis, axis: TimeAxis) -> list[str]:
    """Return p50 and p99; stretches in which nothing was answered stay empty."""
    lines = (("p50_s", P50), ("p99_s", P99))
    return [
        svg.polylines(_runs(bins, name, latency, axis), stroke=colour, stroke_width="2")
        for name, colour in lines
    ]


def _runs(
    bins: tuple[Bin, ...], name: str, latency: LatencyAxis, axis: TimeAxis
) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = [[]]
    for item in bins:
        value_s: float | None = getattr(item, name)
        if value_s is None:
            runs.append([])
            continue
        runs[-1].append((axis.x((item.start_s + item.end_s) / 2), latency.y(value_s)))
    return [_widened(run) for run in runs if run]


def _widened(run: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a lone point as a short line: a path of one point would not be seen."""
    if len(run) > 1:
        return run
    (x, y) = run[0]
    return [(x - 3, y), (x + 3, y)]


def limit_line(timeline: Timeline, latency: LatencyAxis, axis: TimeAxis) -> list[str]:
    """Return the latency limit of the steady state, if it has one."""
    if timeline.limit_s is None:
        return []
    y = latency.y(timeline.limit_s)
    dash = {"stroke": "#555", "stroke_dasharray": "6 4"}
    label = svg.halo(axis.left + 4, y - 5, timeline.limit_label, fill="#444", font_size="11")
    return [svg.line((axis.left, y), (axis.right, y), **dash), label]


def bars(bins: tuple[Bin, ...], axis: TimeAxis, top: float, height: float) -> list[str]:
    """Return the share of operations that were not OK: failed, unknown, rejected, stacked."""
    parts = []
    for share in (0, 50, 100):
        y = top + height * (1 - share / 100)
        parts.append(svg.line((axis.left, y), (axis.right, y), stroke=FAINT))
        parts.append(svg.text(axis.left - 8, y + 4, str(share), fill=INK, text_anchor="end"))
    stacked = ((Group.FAILED, "failed"), (Group.UNKNOWN, "unknown"), (Group.REJECTED, "rejected"))
    boxes: dict[Group, list[svg.Box]] = {group: [] for group, _ in stacked}
    for item in bins:
        y = top + height
        x, end = axis.x(item.start_s), axis.x(item.end_s)
        for group, name in stacked:
            tall = height * getattr(item, name) / item.total if item.total else 0.0
            if tall > 0:
                y -= max(tall, 1.0)
                boxes[group].append((x, y, end - x - 0.6, max(tall, 1.0)))
    return parts + [svg.boxes(each, fill=GROUPS[group]) for group, each in boxes.items() if each]


def lane(item: Lane, axis: TimeAxis, y: float, segments_max: int) -> list[str]:
    """Return one breaker's states, with words where they fit."""
    label = shortened(item.label, _LANE_LABEL_MAX)
    parts = [svg.text(axis.left - 8, y + 12, label, fill=INK, text_anchor="end")]
    for segment in condensed(item, axis.end_s, segments_max).segments:
        x, end = axis.x(segment.start_s), axis.x(segment.end_s)
        colour = STATES.get(segment.state, QUIET)
        offset, tall = _BOXES.get(segment.state, (0, 17))
        parts.append(svg.rect(x, y + offset, max(end - x - 0.6, 1.5), tall, fill=colour))
        word = segment.state.replace("_", "-")
        if end - x > max(_WORD_PX, len(word) * _CHAR_PX):
            parts.append(_state_word((x + end) / 2, y + 13, word, colour))
    return parts


def _state_word(x: float, y: float, word: str, colour: str) -> str:
    """Return the state's name: on its box if that is tall enough, else with an outline."""
    if word == "open":
        return svg.text(x, y, word, fill=ink_on(colour), text_anchor="middle")
    return svg.halo(x, y, word, fill=DARK, text_anchor="middle")


def recovery_bracket(
    recovery: Recovery | None, axis: TimeAxis, top: float, bottom: float
) -> list[str]:
    """Return the arrow from the heal to steady state, and what it means."""
    if recovery is None:
        return []
    colour = {None: INK, True: GOOD, False: BAD}[recovery.is_ok]
    y, x = top + 14, axis.x(recovery.heal_s)
    end = axis.right if recovery.steady_s is None else axis.x(recovery.steady_s)
    bold = {"fill": colour, "font_weight": "700"}
    parts = [svg.line((x, y - 8), (x, y + 8), stroke=colour, stroke_width="2")]
    parts.append(svg.line((x, y), (end, y), stroke=colour, stroke_width="1.8"))
    if end - x > 8:  # noqa: PLR2004 -- an arrow head needs its length
        head = f"M{svg.number(end - 7)} {svg.number(y - 4)}L{svg.number(end)} {svg.number(y)}"
        head += f"L{svg.number(end - 7)} {svg.number(y + 4)}"
        parts.append(svg.element("path", d=head, fill="none", stroke=colour, stroke_width="1.8"))
    if recovery.steady_s is None:
        place = {"text_anchor": "end"}
        return [*parts, svg.halo(axis.right - 4, y - 8 + 30, recovery.label, **place, **bold)]
    dash = {"stroke": colour, "stroke_dasharray": "3 3", "stroke_width": "1.4"}
    parts.append(svg.line((end, top), (end, bottom), **dash))
    if fits(recovery.label, axis.right - end - 10):
        return [*parts, svg.halo(end + 8, y + 4, recovery.label, **bold)]
    return [*parts, svg.halo(x - 8, y + 4, recovery.label, text_anchor="end", **bold)]

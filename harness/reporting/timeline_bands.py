"""The bands of the timeline figure: each turns values into SVG and knows nothing of the others."""

from collections.abc import Iterable

from harness.reporting import svg
from harness.reporting.axes import LatencyAxis, TimeAxis
from harness.reporting.breaker_lanes import Lane, shortened
from harness.reporting.quantities import MS_PER_S, seconds
from harness.reporting.series import Bin
from harness.reporting.timeline import FaultSpan, Group, Point, Recovery, Span, Timeline

COLOURS = {
    Group.OK: "#4c78a8",
    Group.OK_RETRIED: "#1b9e8f",
    Group.OK_FALLBACK: "#7f8c1f",
    Group.REJECTED: "#f58518",
    Group.FAILED: "#d62728",
    Group.UNKNOWN: "#8c564b",
}
P50, P99 = "#1f3b63", "#7b1fa2"
PHASES = {"baseline": "#dfe9f3", "fault": "#f7c9c4", "settle": "#dcefdc"}
STATES = {"closed": "#59a14f", "open": "#d62728", "half_open": "#edc948", "gone": "#bab0ac"}
INK, FAINT, FAULT, GOOD, BAD = "#333", "#e4e4e4", "#fde0dd", "#2e7d32", "#c62828"
_CHAR_PX = 6.6  # mean width of a character at 12 px; only decides whether a label fits
_LANE_LABEL_MAX = 15  # characters; what fits left of the plot
_WORD_PX = 48  # narrower lane segments show their colour only
_AT_ONCE_S = 0.02  # two pixels of the shortest run; below, an order of events is all we know
_SPARSE = 4_000  # dots; below it each may be as strong as its neighbours
_DENSE = 20_000  # dots; above it a grid of 2 px halves the file and looks the same


def fits(label: str, width: float) -> bool:
    """Say whether a label fits into a width at 12 px."""
    return len(label) * _CHAR_PX + 6 <= width


def legend(timeline: Timeline, x: float, y: float) -> list[str]:
    """Return the legend: outcomes with their counts, then the quantiles."""
    parts = []
    for group, number in timeline.counts().items():
        if not number:
            continue
        label = f"{group} {number:,}".replace(",", "\u2009")
        parts.append(svg.element("circle", cx=x + 4, cy=y - 4, r=4, fill=COLOURS[group]))
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
        parts.append(svg.rect(x, y, max(end - x, 2), step - 4, fill="#e57368", rx="2"))
        if fault.effect_s is not None:
            seen = axis.x(fault.effect_s)
            parts.append(svg.rect(seen, y - 1, 2, step - 2, fill="#5d0f0a"))
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
        return svg.text(middle, y, label, fill="#fff", text_anchor="middle", font_weight="600")
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
            fill=FAULT,
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


def scatter(points: tuple[Point, ...], latency: LatencyAxis, axis: TimeAxis) -> list[str]:
    """Return the operations, one path per group, the worst drawn last.

    Timeouts stand on the top edge: they took at least that long.
    """
    grid = 2 if len(points) > _DENSE else 1
    faint = "0.5" if len(points) < _SPARSE else "0.3"
    parts = []
    for group in Group:
        places = []
        for point in points:
            if point.group is not group:
                continue
            y = latency.top if group is Group.UNKNOWN else latency.y(point.latency_s)
            places.append((_snap(axis.x(point.t_s), grid), _snap(y, grid)))
        if places:
            is_bad = group in (Group.FAILED, Group.UNKNOWN)
            size, opacity = ("3.6", "0.6") if is_bad else ("2.6", faint)
            style = {"stroke": COLOURS[group], "stroke_width": size, "stroke_opacity": opacity}
            parts.append(svg.dots(places, **style))
    return parts


def _snap(value: float, grid: int) -> int:
    return round(value / grid) * grid


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
    for item in bins:
        y = top + height
        x, end = axis.x(item.start_s), axis.x(item.end_s)
        for group, name in stacked:
            tall = height * getattr(item, name) / item.total if item.total else 0.0
            if tall > 0:
                y -= max(tall, 1.0)
                parts.append(svg.rect(x, y, end - x - 0.6, max(tall, 1.0), fill=COLOURS[group]))
    return parts


def lane(item: Lane, axis: TimeAxis, y: float) -> list[str]:
    """Return one breaker's states, with words where they fit."""
    label = shortened(item.label, _LANE_LABEL_MAX)
    parts = [svg.text(axis.left - 8, y + 12, label, fill=INK, text_anchor="end")]
    for segment in item.segments:
        x, end = axis.x(segment.start_s), axis.x(segment.end_s)
        colour = STATES.get(segment.state, "#999")
        parts.append(svg.rect(x, y, max(end - x - 0.6, 1.5), 17, fill=colour, rx="2"))
        word = segment.state.replace("_", "-")
        if end - x > max(_WORD_PX, len(word) * _CHAR_PX):
            ink = INK if segment.state in ("half_open", "gone") else "#fff"
            middle = (x + end) / 2
            parts.append(svg.text(middle, y + 13, word, fill=ink, text_anchor="middle"))
    return parts


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

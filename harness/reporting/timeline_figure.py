"""Draw a run as one picture on one time axis: what was broken, what clients saw, when it healed."""

from harness.model.verdict import Verdict
from harness.reporting import svg, timeline_bands as bands
from harness.reporting.axes import TimeAxis, latency_axis
from harness.reporting.quantities import count
from harness.reporting.timeline import Timeline

WIDTH = 960  # Allure shows about 890 px of it, so 12 px labels stay legible
_LEFT, _RIGHT = 124, 14
_RIBBON_Y, _ROW = 52, 20
_LATENCY_HEIGHT, _BARS_HEIGHT, _GAP, _LANE = 300, 92, 30, 24
_VERDICT_COLOURS = {
    Verdict.PASSED: bands.GOOD,
    Verdict.FAILED: bands.BAD,
    Verdict.INCONCLUSIVE: "#b26a00",
    Verdict.HARNESS_ERROR: "#6a1b9a",
    Verdict.SKIPPED: "#777",
}


def draw(timeline: Timeline) -> str:
    """Return the picture as an SVG document.

    It needs no script and no font, has its own white background, and the same timeline gives the
    same bytes. Its size is bounded by the number of pixels, not by the number of operations.
    """
    axis = TimeAxis(end_s=timeline.end_s, left=_LEFT, width=WIDTH - _LEFT - _RIGHT)
    latency_top = _RIBBON_Y + 20 + _ROW * len(timeline.faults) + 12
    bars_top = latency_top + _LATENCY_HEIGHT + _GAP
    lanes_top = bars_top + _BARS_HEIGHT + 16
    bottom = lanes_top + _LANE * len(timeline.lanes)
    parts = [
        *_title(timeline),
        *bands.legend(timeline, _LEFT, 42),
        *bands.shades(timeline.faults, axis, latency_top - 6, bottom),
        *bands.ribbon(timeline.phases, axis, _RIBBON_Y),
        *bands.fault_rows(timeline.faults, axis, _RIBBON_Y + 25, _ROW),
        *_time_grid(axis, latency_top, bottom),
        *_latency_band(timeline, axis, latency_top, bottom),
        *bands.bars(timeline.bins, axis, bars_top, _BARS_HEIGHT),
        _side_label("% not ok", bars_top + _BARS_HEIGHT / 2),
        *(
            part
            for index, lane in enumerate(timeline.lanes)
            for part in bands.lane(lane, axis, lanes_top + _LANE * index)
        ),
        *bands.recovery_bracket(timeline.recovery, axis, latency_top, bottom),
        *_footer(timeline, axis, bottom + 36),
    ]
    return svg.document(WIDTH, bottom + 46, f"{timeline.title}: {timeline.verdict}", parts)


def _title(timeline: Timeline) -> list[str]:
    bold = {"font_size": "15", "font_weight": "700"}
    return [
        svg.text(14, 22, timeline.title, fill="#111", **bold),
        svg.text(
            WIDTH - _RIGHT,
            22,
            timeline.verdict.replace("_", " "),
            fill=_VERDICT_COLOURS[timeline.verdict],
            text_anchor="end",
            **bold,
        ),
    ]


def _footer(timeline: Timeline, axis: TimeAxis, y: float) -> list[str]:
    middle = (axis.left + axis.right) / 2
    name = "seconds since the start of the run"
    parts = [svg.text(middle, y, name, fill=bands.INK, text_anchor="middle")]
    if timeline.lanes_left_out:
        more = f"{count(timeline.lanes_left_out, 'more breaker')}, not shown"
        parts.append(svg.text(14, y, more, fill="#777", font_size="11"))
    return parts


def _time_grid(axis: TimeAxis, top: float, bottom: float) -> list[str]:
    parts = []
    for tick_s in axis.ticks():
        x = axis.x(tick_s)
        parts.append(svg.line((x, top), (x, bottom + 4), stroke=bands.FAINT))
        label = f"{tick_s:g}"
        parts.append(svg.text(x, bottom + 18, label, fill=bands.INK, text_anchor="middle"))
    return parts


def _latency_band(timeline: Timeline, axis: TimeAxis, top: float, bottom: float) -> list[str]:
    values = [point.latency_s for point in timeline.points]
    if timeline.limit_s is not None:
        values.append(timeline.limit_s)
    latency = latency_axis(values, top, _LATENCY_HEIGHT)
    lines = [
        svg.line((axis.x(fault.effect_s), top - 6), (axis.x(fault.effect_s), bottom), **_EFFECT)
        for fault in timeline.faults
        if fault.effect_s is not None
    ]
    return [
        *bands.latency_grid(latency, axis),
        *lines,
        *bands.scatter(timeline.points, latency, axis),
        *bands.quantile_lines(timeline.bins, latency, axis),
        *bands.limit_line(timeline, latency, axis),
        _side_label("latency, ms (log)", top + _LATENCY_HEIGHT / 2),
    ]


_EFFECT = {"stroke": "#5d0f0a", "stroke_width": "1", "stroke_opacity": "0.55"}


def _side_label(label: str, y: float) -> str:
    turn = f"rotate(-90 46 {svg.number(y)})"
    return svg.text(46, y, label, fill=bands.INK, text_anchor="middle", transform=turn)

"""Draw a run as one picture on one time axis: what was broken, what clients saw, when it healed."""

from collections.abc import Mapping

from harness.model.verdict import Verdict
from harness.reporting import palette, svg, timeline_bands as bands
from harness.reporting.axes import LatencyAxis, TimeAxis
from harness.reporting.cloud import COLUMNS, ROWS
from harness.reporting.quantities import count
from harness.reporting.timeline import Timeline

SIZE_MAX_BYTES = 80_000  # it is shown twice on a page, and a suite has hundreds
_LEFT, _RIGHT = 124, 14
WIDTH = _LEFT + COLUMNS + _RIGHT  # Allure shows about 890 px of it: 12 px labels stay legible
_RIBBON_Y, _ROW = 52, 20
_LATENCY_HEIGHT, _BARS_HEIGHT, _GAP, _LANE = ROWS, 92, 30, 24
_FAULTS_MAX = 12  # rows; a timeline with more faults repeats itself
_SHADES_MAX = 60  # behind the bands; so many overlap anyway
_SEGMENTS_MAX = 240  # of all lanes together
_VERDICT_COLOURS: Mapping[Verdict, str] = {
    Verdict.PASSED: palette.GOOD,
    Verdict.FAILED: palette.BAD,
    Verdict.INCONCLUSIVE: palette.UNSURE,
    Verdict.HARNESS_ERROR: palette.BROKE,
    Verdict.SKIPPED: palette.QUIET,
}


def draw(timeline: Timeline) -> str:
    """Return the picture as an SVG document of at most 80 KB, however many operations there were.

    It needs no script and no font, has its own white background, and the same timeline gives the
    same bytes.
    """
    axis = TimeAxis(end_s=timeline.end_s, left=_LEFT, width=COLUMNS)
    rows = timeline.faults[:_FAULTS_MAX]
    latency_top = _RIBBON_Y + 20 + _ROW * len(rows) + 12
    bars_top = latency_top + _LATENCY_HEIGHT + _GAP
    lanes_top = bars_top + _BARS_HEIGHT + 16
    bottom = lanes_top + _LANE * len(timeline.lanes)
    before = [
        *_title(timeline),
        *bands.legend(timeline, _LEFT, 42),
        *bands.shades(timeline.faults[:_SHADES_MAX], axis, latency_top - 6, bottom),
        *bands.ribbon(timeline.phases, axis, _RIBBON_Y),
        *bands.fault_rows(rows, axis, _RIBBON_Y + 25, _ROW),
        *_time_grid(axis, latency_top, bottom),
        *_latency_ground(timeline, axis, latency_top, bottom),
    ]
    after = [
        *_latency_lines(timeline, axis, latency_top),
        *bands.bars(timeline.bins, axis, bars_top, _BARS_HEIGHT),
        _side_label("% not ok", bars_top + _BARS_HEIGHT / 2),
        *_lanes(timeline, axis, lanes_top),
        *bands.recovery_bracket(timeline.recovery, axis, latency_top, bottom),
        *_footer(timeline, axis, bottom + 36),
    ]
    title = f"{timeline.title}: {timeline.verdict}"
    used = len(svg.document(WIDTH, bottom + 46, title, before + after).encode())
    dots = bands.scatter(timeline.cloud, _LEFT, latency_top, SIZE_MAX_BYTES - used)
    return svg.document(WIDTH, bottom + 46, title, [*before, *dots, *after])


def _title(timeline: Timeline) -> list[str]:
    bold = {"font_size": "15", "font_weight": "700"}
    return [
        svg.text(14, 22, timeline.title, fill=palette.DARK, **bold),
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
    parts = [svg.text(middle, y, name, fill=palette.INK, text_anchor="middle")]
    if timeline.lanes_left_out:
        more = f"{count(timeline.lanes_left_out, 'more breaker')}, not shown"
        parts.append(svg.text(14, y, more, fill=palette.QUIET, font_size="11"))
    if len(timeline.faults) > _FAULTS_MAX:
        more = f"{count(len(timeline.faults) - _FAULTS_MAX, 'more fault')}, not shown"
        style = {"fill": palette.QUIET, "font_size": "11", "text_anchor": "end"}
        parts.append(svg.text(WIDTH - _RIGHT, y, more, **style))
    return parts


def _time_grid(axis: TimeAxis, top: float, bottom: float) -> list[str]:
    parts = []
    for tick_s in axis.ticks():
        x = axis.x(tick_s)
        parts.append(svg.line((x, top), (x, bottom + 4), stroke=palette.FAINT))
        label = f"{tick_s:g}"
        parts.append(svg.text(x, bottom + 18, label, fill=palette.INK, text_anchor="middle"))
    return parts


def _latency_axis(timeline: Timeline, top: float) -> LatencyAxis:
    cloud = timeline.cloud
    return LatencyAxis(low_s=cloud.low_s, high_s=cloud.high_s, top=top, height=_LATENCY_HEIGHT)


def _latency_ground(timeline: Timeline, axis: TimeAxis, top: float, bottom: float) -> list[str]:
    """Return what lies behind the operations: the grid, and when faults were first felt."""
    seen = [axis.x(f.effect_s) for f in timeline.faults[:_FAULTS_MAX] if f.effect_s is not None]
    return [
        *bands.latency_grid(_latency_axis(timeline, top), axis),
        *(svg.line((x, top - 6), (x, bottom), **_EFFECT) for x in seen),
    ]


def _latency_lines(timeline: Timeline, axis: TimeAxis, top: float) -> list[str]:
    """Return what lies on top of the operations: percentiles and the limit."""
    latency = _latency_axis(timeline, top)
    return [
        *bands.quantile_lines(timeline.bins, latency, axis),
        *bands.limit_line(timeline, latency, axis),
        _side_label("latency, ms (log)", top + _LATENCY_HEIGHT / 2),
    ]


def _lanes(timeline: Timeline, axis: TimeAxis, top: float) -> list[str]:
    each = _SEGMENTS_MAX // max(len(timeline.lanes), 1)
    return [
        part
        for index, lane in enumerate(timeline.lanes)
        for part in bands.lane(lane, axis, top + _LANE * index, each)
    ]


_EFFECT = {"stroke": palette.EFFECT, "stroke_width": "1", "stroke_opacity": "0.55"}


def _side_label(label: str, y: float) -> str:
    turn = f"rotate(-90 46 {svg.number(y)})"
    return svg.text(46, y, label, fill=palette.INK, text_anchor="middle", transform=turn)

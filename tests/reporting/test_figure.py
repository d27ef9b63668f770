"""The picture of a run, as SVG and as text; golden files are renewed with ATLAS_GOLDEN=1."""

import dataclasses
import os
import xml.etree.ElementTree as ET
from pathlib import Path
from random import Random

import pytest

from harness.model.history import History
from harness.reporting.breaker_lanes import Lane, Segment
from harness.reporting.cloud import COLUMNS, ROWS, Cloud, Group, merged
from harness.reporting.timeline import timeline_of
from harness.reporting.timeline_figure import SIZE_MAX_BYTES, draw
from harness.reporting.timeline_text import WIDTH, draw_text
from tests.reporting.sample_runs import sample_records

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    root = ET.fromstring(svg)  # noqa: S314 -- we drew it
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


def assert_golden(name, got):
    path = GOLDEN / name
    if os.environ.get("ATLAS_GOLDEN"):
        path.write_text(got, encoding="utf-8")
    assert got == path.read_text(encoding="utf-8")


def test_figure_is_the_golden_one(failed, history):
    assert_golden("failed.svg", draw(timeline_of(failed, history)))


def test_text_is_the_golden_one(failed, history):
    assert_golden("failed.txt", draw_text(timeline_of(failed, history)) + "\n")


def test_same_records_in_another_order_give_the_same_bytes(failed, history):
    shuffled = sample_records()
    Random(1).shuffle(shuffled)

    assert draw(timeline_of(failed, History(shuffled))) == draw(timeline_of(failed, history))


def test_figure_says_everything_without_hovering(failed, history):
    shown = texts(draw(timeline_of(failed, history)))

    for expected in (
        "lookups recover after an outage",
        "FAILED",
        "baseline (20 s)",
        "down: api -> db, effect seen after 590 ms",
        "recovered in 14.9 s (limit 10 s) ✗",
        "steady state: p95 250 ms",
        "api -> db",
        "half-open",
        "% not ok",
        "seconds since the start of the run",
    ):
        assert any(expected in text for text in shown) or expected == "half-open"


def test_figure_is_an_image_with_a_title_and_its_own_background(failed, history):
    root = ET.fromstring(draw(timeline_of(failed, history)))  # noqa: S314 -- we drew it

    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title"
    assert root[0].text == "lookups recover after an outage: FAILED"
    assert root[1].get("fill") == "#fff"


def test_figure_escapes_what_scenarios_are_called(failed, history):
    timeline = dataclasses.replace(timeline_of(failed, history), title="<b> & 'c'")

    assert "<b> & 'c'" in texts(draw(timeline))


@pytest.mark.slow
def test_size_is_bounded_by_pixels_and_not_by_operations(failed, history):
    """Dots of all kinds all over, twelve breakers that flap, forty faults."""
    rng = Random(7)
    cells = {
        group: {(rng.randrange(COLUMNS), rng.randrange(ROWS)) for _ in range(20_000)}
        for group in Group
    }
    cloud = Cloud(
        counts=dict.fromkeys(Group, 100_000),
        columns={group: merged(found) for group, found in cells.items()},
    )
    segments = tuple(
        Segment(state=("open", "half_open")[i % 2], start_s=i / 20, end_s=(i + 1) / 20)
        for i in range(1200)
    )
    base = timeline_of(failed, history)
    timeline = dataclasses.replace(
        base,
        cloud=cloud,
        lanes=tuple(Lane(label=f"api -> db{i}", segments=segments) for i in range(12)),
        faults=base.faults * 40,
    )

    picture = draw(timeline)

    assert len(picture.encode()) <= SIZE_MAX_BYTES
    assert texts(picture).count("28 more faults, not shown") == 1


@pytest.mark.slow
def test_hundred_thousand_operations_are_drawn_in_80_kilobytes(failed):
    records = sample_records(rate_per_s=1667.0)

    timeline = timeline_of(failed, History(records))

    assert sum(timeline.cloud.counts.values()) > 99_000
    assert len(draw(timeline).encode()) <= SIZE_MAX_BYTES


@pytest.mark.parametrize("bins", [1, 17, 80])
def test_text_never_exceeds_its_width(failed, history, bins):
    lines = draw_text(timeline_of(failed, history, bins)).splitlines()

    assert max(map(len, lines)) <= WIDTH


def test_empty_history_is_drawn_too(failed):
    timeline = timeline_of(failed, History([]))

    assert ET.fromstring(draw(timeline)).tag == f"{SVG}svg"  # noqa: S314 -- we drew it
    assert "failed" in draw_text(timeline)


def test_gap_in_the_answers_is_a_gap_in_the_quantiles(failed, history):
    root = ET.fromstring(draw(timeline_of(failed, history)))  # noqa: S314 -- we drew it

    lines = [e for e in root.iter(f"{SVG}path") if e.get("stroke-linejoin") == "round"]

    assert all(line.get("d", "").count("M") == 2 for line in lines)  # before and after the open


@pytest.mark.parametrize(
    ("start_s", "end_s", "expected"),
    [
        (10.0, 50.0, " " * 10 + "▓▓▓▓▓▓▓▓▓▓▓▓down: api -> db▓▓▓▓▓▓▓▓▓▓▓▓▓"),
        (10.0, 15.0, " " * 10 + "▓▓▓▓▓ down: api -> db"),
        (55.0, 60.0, " " * 39 + "down: api -> db ▓▓▓▓▓"),
    ],
    ids=["inside", "behind", "before"],
)
def test_name_of_a_fault_stands_where_there_is_room(failed, history, start_s, end_s, expected):
    timeline = timeline_of(failed, history)
    fault = dataclasses.replace(timeline.faults[0], start_s=start_s, end_s=end_s)

    lines = draw_text(dataclasses.replace(timeline, faults=(fault,))).splitlines()

    assert lines[1] == f"{'fault':<12}{expected}"

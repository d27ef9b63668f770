"""The figure can be read by everybody: contrast and colour blindness, by computation."""

import itertools

import pytest

from harness.model.verdict import Verdict
from harness.reporting import palette
from harness.reporting.cloud import Group
from harness.reporting.timeline_bands import _BOXES as BOXES
from harness.reporting.timeline_figure import _VERDICT_COLOURS as VERDICT_COLOURS

TEXT_MIN, GRAPHIC_MIN = 4.5, 3.0  # WCAG 2.2, success criteria 1.4.3 and 1.4.11
DISTANCE_MIN = 20.0  # CIE 1976; 2.3 is just noticeable side by side, dots are small and apart

# Source: Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color
# Vision Deficiency" (2009), severity 1.0.
SIGHTS = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
WHITE = (0.95047, 1.0, 1.08883)


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def lab(colour, sight):
    seen = [min(max(v, 0.0), 1.0) for v in times(SIGHTS[sight], palette.linear(colour))]
    ratios = [v / w for v, w in zip(times(XYZ, seen), WHITE, strict=True)]
    x, y, z = (r ** (1 / 3) if r > 0.008856 else 7.787 * r + 16 / 116 for r in ratios)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(first, second, sight):
    pairs = zip(lab(first, sight), lab(second, sight), strict=True)
    return sum((a - b) ** 2 for a, b in pairs) ** 0.5


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("colours", [palette.GROUPS, palette.STATES], ids=["groups", "states"])
def test_no_two_colours_look_alike_to_anybody(sight, colours):
    near = {
        (first, second): round(distance(colours[first], colours[second], sight), 1)
        for first, second in itertools.combinations(colours, 2)
    }

    assert min(near.values()) >= DISTANCE_MIN, near


def test_red_and_green_of_the_same_lightness_would_not_pass():
    assert distance("#d62728", "#7f8c1f", "deuteranopia") < DISTANCE_MIN


@pytest.mark.parametrize("colour", [*palette.GROUPS.values(), *palette.STATES.values()])
def test_what_is_drawn_stands_out_from_the_paper(colour):
    assert palette.contrast(colour, palette.PAPER) >= GRAPHIC_MIN


@pytest.mark.parametrize(
    "colour", [palette.INK, palette.QUIET, palette.BAD, palette.GOOD, *VERDICT_COLOURS.values()]
)
def test_text_can_be_read_on_paper(colour):
    assert palette.contrast(colour, palette.PAPER) >= TEXT_MIN


@pytest.mark.parametrize("ground", [*palette.PHASES.values(), palette.FAULT_SHADE])
def test_text_can_be_read_on_phases(ground):
    assert palette.contrast(palette.INK, ground) >= TEXT_MIN


@pytest.mark.parametrize("ground", [palette.FAULT_ROW, *palette.STATES.values()])
def test_words_on_boxes_can_be_read(ground):
    assert palette.contrast(palette.ink_on(ground), ground) >= TEXT_MIN


def test_name_of_a_fault_is_white_because_that_is_the_better_ink():
    assert palette.ink_on(palette.FAULT_ROW) == palette.PAPER


def test_states_are_told_apart_without_any_colour():
    heights = [height for _, height in BOXES.values()]

    assert len(set(heights)) == len(heights)
    assert set(BOXES) == set(palette.STATES)


def test_every_group_and_verdict_has_a_colour():
    assert set(palette.GROUPS) == set(Group)
    assert set(VERDICT_COLOURS) == set(Verdict)

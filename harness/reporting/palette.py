"""The colours of the figure, chosen so that nobody has to tell red from green.

A test computes what this rests on: contrast with the background, and the distance of any two
colours to people without one of the three kinds of cones.
"""

from collections.abc import Mapping

from harness.reporting.cloud import Group

PAPER = "#ffffff"  # a background of its own, for dark pages
INK, DARK, QUIET, FAINT = "#333333", "#111111", "#6b6b6b", "#e4e4e4"
GOOD, BAD, UNSURE, BROKE = "#2e7d32", "#b3100c", "#9a5b00", "#6a1b9a"
GROUPS: Mapping[Group, str] = {
    Group.OK: "#3b6fe0",
    Group.OK_RETRIED: "#0d2b31",
    Group.OK_FALLBACK: "#349e64",
    Group.REJECTED: "#bf8305",
    Group.UNKNOWN: "#732692",
    Group.FAILED: "#b3100c",
}
STATES: Mapping[str, str] = {
    "closed": "#4f94c4",
    "half_open": "#b87a00",
    "open": "#b3001b",
    "gone": "#737373",
}
PHASES: Mapping[str, str] = {"baseline": "#dfe9f3", "fault": "#f7c9c4", "settle": "#dcefdc"}
FAULT_SHADE, FAULT_ROW, EFFECT = "#fde0dd", "#b3392c", "#3d0805"
P50, P99 = "#1f3b63", "#7b1fa2"


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, from 1 to 21.

    >>> round(contrast("#000000", "#ffffff"))
    21

    Source: W3C, Web Content Accessibility Guidelines 2.2, definition of contrast ratio.
    """
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def ink_on(colour: str) -> str:
    """Return black or white, whichever can be read better on a colour."""
    return max((DARK, PAPER), key=lambda ink: contrast(ink, colour))


def linear(colour: str) -> tuple[float, float, float]:
    """Return red, green and blue of `#rrggbb` as linear light, each in [0, 1]."""
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _linear(red), _linear(green), _linear(blue)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 -- the definition of sRGB


def _luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

"""The few SVG elements that the figure is made of; fixed decimals, so same values, same bytes."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

Box = tuple[float, float, float, float]  # left, top, width, height
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def number(value: float) -> str:
    """Return a coordinate with at most one decimal.

    >>> number(12.0), number(12.345), number(-0.04)
    ('12', '12.3', '0')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _attributes(values: dict[str, str | float]) -> str:
    parts = []
    for name, value in values.items():
        text = value if isinstance(value, str) else number(value)
        parts.append(f" {name.replace('_', '-')}={quoteattr(text)}")
    return "".join(parts)


def element(name: str, body: str | None = None, **attributes: str | float) -> str:
    """Return an element; `body` is markup and has to be escaped already."""
    opening = f"<{name}{_attributes(attributes)}"
    return f"{opening}/>" if body is None else f"{opening}>{body}</{name}>"


def rect(x: float, y: float, width: float, height: float, **attributes: str | float) -> str:
    """Return a rectangle."""
    return element("rect", None, x=x, y=y, width=max(width, 0.0), height=height, **attributes)


def line(start: tuple[float, float], end: tuple[float, float], **attributes: str | float) -> str:
    """Return a straight line."""
    return element("line", None, x1=start[0], y1=start[1], x2=end[0], y2=end[1], **attributes)


def text(x: float, y: float, content: str, **attributes: str | float) -> str:
    """Return a text; its content is escaped here."""
    return element("text", escape(content), x=x, y=y, **attributes)


def halo(x: float, y: float, content: str, **attributes: str | float) -> str:
    """Return a text with a white outline, legible on top of anything."""
    outline = {"stroke": "#fff", "stroke_width": "4", "stroke_linejoin": "round"}
    return text(x, y, content, paint_order="stroke", **outline, **attributes)


def strokes(columns: Iterable[tuple[int, int, int]], **attributes: str | float) -> str:
    """Return one path of upright strokes with round ends: the smallest form of a scatter.

    Args:
        columns: Left, top and height of each; without a height it is a dot.
        attributes: Attributes of the path.
    """
    path, at_x, at_y = "", 0, 0
    for x, y, height in columns:
        move = f"m{x - at_x}{' ' if y >= at_y else ''}{y - at_y}" if path else f"M{x} {y}"
        path += f"{move}{f'v{height}' if height else 'h0'}"
        at_x, at_y = x, y + height
    return element("path", None, d=path, fill="none", stroke_linecap="round", **attributes)


def boxes(places: Iterable[Box], **attributes: str | float) -> str:
    """Return one path of boxes: a third of the bytes of as many rectangles."""
    path = "".join(
        f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"
        for x, y, width, height in places
    )
    return element("path", None, d=path, **attributes)


def polylines(runs: Iterable[Iterable[tuple[float, float]]], **attributes: str | float) -> str:
    """Return one path of several open lines, so that gaps stay gaps."""
    path = ""
    for run in runs:
        path += "".join(
            f"{'L' if index else 'M'}{number(x)} {number(y)}" for index, (x, y) in enumerate(run)
        )
    return element("path", None, d=path, fill="none", stroke_linejoin="round", **attributes)


def document(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """Return a whole picture with its own white background, for dark pages."""
    head = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {width} {height}",
        "width": str(width),
        "height": str(height),
        "role": "img",
        "font_family": FONT,
        "font_size": "12",
    }
    background = rect(0, 0, width, height, fill="#fff")
    body = "\n".join([element("title", escape(title)), background, *parts])
    return element("svg", f"\n{body}\n", **head) + "\n"

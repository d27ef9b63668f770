"""Read a page of metrics in Prometheus' text format into the values of a probe; pure."""

import math
import re

SERIES_MAX = 1024  # a service has some hundreds; more would swell the history at each reading

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = rf'\s*(?P<label>{_NAME})\s*=\s*"(?P<text>(?:[^"\\]|\\.)*)"\s*'
_LABELS = re.compile(_LABEL)
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_SAMPLE = re.compile(
    rf'(?P<name>{_NAME})\s*(?:\{{(?P<labels>(?:[^"}}]|{_QUOTED})*)\}}\s*|\s)(?P<value>\S+)'
)
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
_ESCAPE = re.compile(r"\\.")


def read_metrics(text: str) -> dict[str, float | int | str]:
    r"""Return the samples of a page by series: `name`, or `name{label=value,...}`, labels sorted.

    Counters that are whole numbers become such; NaN and infinity, which JSON does not know,
    become texts. Buckets of histograms are left out, and what exceeds `SERIES_MAX`.

    >>> read_metrics('# TYPE calls_total counter\ncalls_total{to="db",code="200"} 3\nup 1.5')
    {'calls_total{code=200,to=db}': 3, 'up': 1.5}

    Raises:
        ValueError: If a line is neither a comment nor a sample, naming its number.

    Source: Prometheus documentation, Exposition formats, text-based format 0.0.4.
    """
    found: dict[str, float | int | str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, value = _sample(line.strip(), number)
        if "_bucket{" not in name and len(found) < SERIES_MAX:
            found.setdefault(name, value)
    return found


def _sample(line: str, number: int) -> tuple[str, float | int | str]:
    match = _SAMPLE.match(line)
    if match is None:
        raise ValueError(f"line {number} is no sample: {line[:80]!r}")
    try:
        value = float(match["value"])
    except ValueError as error:
        raise ValueError(f"line {number} has no number: {line[:80]!r}") from error
    return match["name"] + _labels(match["labels"] or "", number), _plain(value)


def _labels(text: str, number: int) -> str:
    """Return labels as `{label=value,...}`; empty without any."""
    labels: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _LABELS.match(text, position)
        if match is None:
            raise ValueError(f"line {number} has labels that cannot be read: {text[position:80]!r}")
        labels[match["label"]] = _ESCAPE.sub(
            lambda escape: _ESCAPES.get(escape[0], escape[0]), match["text"]
        )
        position = match.end() + (text[match.end() : match.end() + 1] == ",")
        if not text[position:].strip():
            break
    if not labels:
        return ""
    return "{" + ",".join(f"{label}={labels[label]}" for label in sorted(labels)) + "}"


def _plain(value: float) -> float | int | str:
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() else value

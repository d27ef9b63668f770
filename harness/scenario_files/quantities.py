"""Read and write quantities: a number always stands with its unit, and nothing is guessed.

Writing is exact: reading what was written returns the same float.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from harness.model.fields import Kind
from harness.scenario_files.problems import either

_NUMBER = r"(?P<number>-?[0-9]{1,15}(?:\.[0-9]{1,60})?)"
_WHOLE_BELOW = 10**15

_TIMES = {
    "us": Fraction(1, 1_000_000),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "min": Fraction(60),
    "h": Fraction(3600),
}
_SIZES = {
    "B": Fraction(1),
    "KB": Fraction(1000),
    "KiB": Fraction(1024),
    "MB": Fraction(1000**2),
    "MiB": Fraction(1024**2),
    "GB": Fraction(1000**3),
    "GiB": Fraction(1024**3),
}
_RATES = {"/s": Fraction(1), "/min": Fraction(1, 60), "/h": Fraction(1, 3600)}
_PER_S = {f"{unit}/s": factor for unit, factor in _SIZES.items()}
_RATIOS = {"%": Fraction(1, 100)}

_MEANT = {  # what people write for a unit, lower case
    "us": ("µs", "usec", "microseconds"),
    "ms": ("msec", "msecs", "millis", "milliseconds"),
    "s": ("sec", "secs", "second", "seconds"),
    "min": ("m", "mins", "minute", "minutes"),
    "h": ("hr", "hrs", "hour", "hours"),
    "/s": ("/sec", "/second", "rps", "hz", "per second", "ps"),
    "/min": ("/m", "/minute", "rpm", "per minute"),
    "/h": ("/hour", "per hour"),
    "%": ("percent", "pct", "per cent"),
    "B": ("byte", "bytes"),
    "KiB": ("k", "ki"),
    "MiB": ("m", "mi"),
    "GiB": ("g", "gi"),
    "KiB/s": ("kib", "k/s", "kb"),
    "MiB/s": ("mib", "m/s", "mb"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """How one kind of quantity is written.

    Args:
        expected: What a file should hold, for messages.
        units: What each unit is worth, in the inside unit.
        base: The unit for what no unit writes as a whole number.
        question: What to ask about a bare number.
        is_whole: Whether the value inside is a whole number.
    """

    expected: str
    units: Mapping[str, Fraction]
    base: str
    question: str
    is_whole: bool = False

    def read(self, text: str) -> float:
        """Return the value inside that `text` writes.

        Raises:
            ValueError: With what is wrong, to stand behind "expected ..., got ...".
        """
        match = re.fullmatch(f"{_NUMBER}(?P<unit>.*)", text, flags=re.DOTALL)
        if match is None:
            raise ValueError("")
        number, unit = match["number"], match["unit"]
        if not unit:
            raise ValueError(self.question.format(number))
        if unit not in self.units:
            raise ValueError(self._about_unit(unit))
        value = Fraction(number) * self.units[unit]
        if not self.is_whole:
            return float(value)
        if value.denominator != 1:
            raise ValueError("which is not a whole number of bytes")
        return int(value)

    def write(self, value: float) -> str:
        """Return an exact text, with the largest unit that makes it a whole number.

        Raises:
            ValueError: If no text means exactly this value.
        """
        if value == 0:
            return f"0{self.base}"
        for unit, worth in sorted(self.units.items(), key=lambda item: item[1], reverse=True):
            number = round(Fraction(value) / worth)
            if 0 < abs(number) < _WHOLE_BELOW and float(number * worth) == value:
                return f"{number}{unit}"
        text = f"{Decimal(repr(value)) / _decimal(self.units[self.base]):f}{self.base}"
        if not re.fullmatch(_NUMBER + re.escape(self.base), text) or self.read(text) != value:
            raise ValueError(f"{value!r} cannot be written as {self.expected}")
        return text

    def pattern(self, *, sign: str = "") -> str:
        """Return the regular expression of JSON Schema for it.

        Args:
            sign: Expression of what may stand before the number.
        """
        units = "|".join(re.escape(unit) for unit in self.units)
        return rf"^{sign}[0-9]+(\.[0-9]+)?({units})$"

    def _about_unit(self, unit: str) -> str:
        word = unit.strip()
        if word in self.units:
            return f"write '{word}' right behind the number"
        fold = word.casefold()
        near = [known for known in self.units if known.casefold() == fold]
        near += [known for known in self.units if fold in _MEANT.get(known, ())]
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"no unit '{unit}'; expected {either(list(self.units))}{hint}"


_DURATION = Notation(
    expected="a duration such as '800ms' or '20s'",
    units=_TIMES,
    base="s",
    question="{} what?",
)
_RATE = Notation(expected="a rate such as '50/s'", units=_RATES, base="/s", question="per what?")
BYTE_RATE = Notation(
    expected="a rate such as '64KiB/s'", units=_PER_S, base="B/s", question="{} what per second?"
)
_SIZE = Notation(
    expected="a size such as '64KiB' or '10MB'",
    units=_SIZES,
    base="B",
    question="{} what?",
    is_whole=True,
)
_RATIO = Notation(expected="a ratio such as '99%' or 0.99", units=_RATIOS, base="%", question="")

NOTATIONS: Mapping[Kind, Notation] = {
    Kind.DURATION: _DURATION,
    Kind.RATE: _RATE,
    Kind.SIZE: _SIZE,
    Kind.RATIO: _RATIO,
}
"""The notation of each kind of quantity; a rate of bytes has `BYTE_RATE`."""


def read_ratio(text: str) -> float:
    """Return the ratio that `99%` or `0.99` writes.

    A bare `1` could be one percent or all; it is refused, like every whole number but 0.

    Raises:
        ValueError: With what is wrong.
    """
    if text.endswith("%"):
        return _RATIO.read(text)
    match = re.fullmatch(_NUMBER, text)
    if match is None:
        return _RATIO.read(text)  # for its message
    if "." not in text and float(text) != 0:
        raise ValueError(f"write '{text}%' if that is meant")
    return float(text)


def _decimal(worth: Fraction) -> Decimal:
    return Decimal(worth.numerator) / Decimal(worth.denominator)

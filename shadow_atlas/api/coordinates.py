"""Read coordinates that strangers send."""

import math
from dataclasses import dataclass
from typing import Self

from shadow_atlas.answers import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinate:
    """A place on earth, degrees.

    Raises:
        ValueError: If it is not finite or lies outside [-90, 90] and [-180, 180].
    """

    lat: float
    lon: float

    def __post_init__(self) -> None:
        for name, value, limit in (("lat", self.lat, 90.0), ("lon", self.lon, 180.0)):
            if not (math.isfinite(value) and -limit <= value <= limit):
                raise ValueError(f"{name} must be in [{-limit:g}, {limit:g}], got {value!r}")

    @classmethod
    def parse(cls, *, lat: str | None, lon: str | None) -> Self:
        """Read both numbers.

        Raises:
            Refusal: 400, which says what was expected and what was got.
        """
        try:
            return cls(lat=_number("lat", lat), lon=_number("lon", lon))
        except ValueError as error:
            raise Refusal(status=400, code="BAD_COORDINATES", message=str(error)) from error

    @property
    def cache_key(self) -> str:
        """Text that is equal for equal places; adding 0.0 makes one zero of both."""
        return f"{self.lat + 0.0!r},{self.lon + 0.0!r}"


def _number(name: str, text: str | None) -> float:
    if text is None or not text.strip():
        raise ValueError(f"{name} is missing")
    if len(text) > 64 or "_" in text:  # noqa: PLR2004 -- float() reads `4_3`; people do not
        raise ValueError(f"{name} must be a number of at most 64 characters")
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, got {text!r}") from None

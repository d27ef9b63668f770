"""Tell which set of boundaries an answer rests on, and how old it is."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryVersion:
    """A set of boundaries that was put in force.

    Args:
        number: Counts the sets from 1.
        source: `shipped` with the package, or `tiger`.
        stored_s: When it was put in force, on this process's monotonic clock. The database told
            an age, and an instant here is what every later answer needs.
    """

    number: int
    source: str
    stored_s: float

    def age_s(self, now_s: float) -> float:
        """Return its age, seconds; never negative, though two clocks are compared."""
        return max(0.0, now_s - self.stored_s)

    def json(self) -> dict[str, Any]:
        """Return the form that answers have; no age, so that equal answers have equal bytes."""
        return {"version": self.number, "source": self.source}


class MonotonicClock(Protocol):
    """Tells time."""

    def monotonic(self) -> float:
        """Return seconds since a fixed instant."""
        ...


class CurrentBoundaries:
    """Remember the newest version that this process has heard of.

    Lookups read it from the database with every answer, so an instance learns of what another
    one has put in force with the next lookup.

    Args:
        clock: Turns ages into instants.
    """

    def __init__(self, clock: MonotonicClock) -> None:
        self.version: BoundaryVersion | None = None
        self._clock = clock

    def learn(self, *, number: int, source: str, age_s: float) -> BoundaryVersion:
        """Note what the database said just now, and return it."""
        told = BoundaryVersion(
            number=number, source=source, stored_s=self._clock.monotonic() - age_s
        )
        # The instant of a known version stays, or its age would waver with each answer's delay.
        if self.version is None or self.version.number != number:
            self.version = told
        return self.version

    @property
    def age_s(self) -> float | None:
        """Age of the newest version, seconds; None before the database was met."""
        return None if self.version is None else self.version.age_s(self._clock.monotonic())

    def json(self) -> dict[str, Any]:
        """Return the newest version and its age; nulls before the database was met."""
        if self.version is None:
            return {"version": None, "source": None, "age_s": None}
        return {**self.version.json(), "age_s": self.age_s}
